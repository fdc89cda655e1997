// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import linux.sys.ProcessBarrier;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// A time in which the accesses of a device wait, in the order in which each port makes them. It ends when somebody releases it, or by
/// itself at its bound, for it must not last longer than a client's patience.
final class Hold {
    private static final System.Logger LOG = System.getLogger(Hold.class.getName());

    private final Usability usability;
    private final PciAddress address;
    private final String why;
    private final Duration bound;
    private final CountDownLatch over = new CountDownLatch(1);
    /// Guarded by itself.
    private final Set<Runnable> waiting = new LinkedHashSet<>();

    private Hold(OpenDevice device, String why, Duration bound) {
        this.usability = device.usability();
        this.address = device.address();
        this.why = why;
        this.bound = bound;
    }

    /// Has accesses wait from now on, without waiting for those under way.
    ///
    /// @param why for people
    /// @param bound after which the hold ends by itself
    /// @throws VfioException EBUSY when the device is held already; ENODEV when it has gone
    static Hold beginNow(OpenDevice device, String why, Duration bound) throws VfioException {
        Hold hold = new Hold(device, why, bound);
        hold.usability.hold(hold);
        hold.watch();
        return hold;
    }

    /// Has accesses wait from now on, lets those leave that are under way, and returns when nobody is in one. The turn must not be held: an
    /// access may wait for it.
    ///
    /// @throws VfioException as [#beginNow]; ETIMEDOUT, with accesses going on, when one does not leave within the drain timeout
    static Hold begin(OpenDevice device, String why, Duration bound) throws VfioException {
        Hold hold = beginNow(device, why, bound);
        Duration drain = device.settings().drainTimeout();
        Optional<DeviceHandle> inside = hold.awaitOutside(device, System.nanoTime() + Math.min(bound.toNanos(), drain.toNanos()));
        if (inside.isPresent()) {
            hold.release();
            throw new VfioException(Errno.ETIMEDOUT, "device=%s client=%s expected=an access that ends within %s".formatted(
                device.address(), inside.get().client().name(), drain));
        }
        return hold;
    }

    /// Waits until nobody is in an access that was begun before this.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    /// @return whose access has not ended
    Optional<DeviceHandle> awaitOutside(OpenDevice device, long deadlineNanos) {
        if (ProcessBarrier.isAvailable()) {
            ProcessBarrier.pass();
        }
        return device.handles().stream().filter(handle -> !handle.awaitOutside(deadlineNanos)).findFirst();
    }

    /// Accesses go on; without effect when it is over.
    void release() {
        usability.release(this);
    }

    /// Why accesses wait.
    String why() {
        return why;
    }

    private void watch() {
        Thread.ofVirtual().name("vfio-hold-" + address).start(() -> {
            try {
                if (!over.await(bound.toNanos(), TimeUnit.NANOSECONDS)) {
                    LOG.log(System.Logger.Level.ERROR, "{0}: accesses go on after {1}, though not all is done: {2}", address, bound, why);
                    release();
                }
            } catch (InterruptedException e) {
                release();
            }
        });
    }

    /// Waits until it is over. An interrupt is kept for later: an access is either done or was never begun.
    void await() {
        boolean interrupted = false;
        while (true) {
            try {
                over.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Has something run when it is over, once, however often it was asked for; at once if it is.
    void whenOver(Runnable then) {
        synchronized (waiting) {
            if (!isOver()) {
                waiting.add(then);
                return;
            }
        }
        then.run();
    }

    /// Who waited wants nothing any more.
    void forget(Runnable then) {
        synchronized (waiting) {
            waiting.remove(then);
        }
    }

    boolean isOver() {
        return over.getCount() == 0;
    }

    /// It is over. A second call has no effect.
    void end() {
        List<Runnable> woken;
        synchronized (waiting) {
            over.countDown();
            woken = List.copyOf(waiting);
            waiting.clear();
        }
        woken.forEach(Runnable::run);
    }
}
