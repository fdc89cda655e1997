// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.VfioException;

/// Something of a vendor's that runs on a thread of its own, so that who wants it done can go on when it hangs.
public final class VendorCall {
    private final Thread thread;
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile Optional<String> failure = Optional.of("it has not ended");

    /// What is done.
    @FunctionalInterface
    public interface Task {
        /// Does it.
        void run() throws VfioException;
    }

    private VendorCall(String name, Task task) {
        thread = Thread.ofPlatform().name(name).daemon().inheritInheritableThreadLocals(false).unstarted(() -> run(task));
    }

    /// Begins.
    public static VendorCall start(String name, Task task) {
        VendorCall call = new VendorCall(name, task);
        call.thread.start();
        return call;
    }

    private void run(Task task) {
        try {
            task.run();
            failure = Optional.empty();
        } catch (VfioException e) {
            failure = Optional.of(e.getMessage());
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            failure = Optional.of(Faults.describe(e));
        } finally {
            done.countDown();
        }
    }

    /// Waits for its end, at most until the deadline. An interrupt is kept for later.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    /// @return false when it is still at it
    public boolean await(long deadlineNanos) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return done.await(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Whether it is still at it.
    public boolean lasts() {
        return done.getCount() > 0;
    }

    /// Why it failed, if it has ended and did.
    public Optional<String> failure() {
        return failure;
    }

    /// Who does it.
    public Thread thread() {
        return thread;
    }
}
