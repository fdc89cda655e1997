// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.demand;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Devices that are being bound, and bundles that are taken away for want of use: never both, so that no device chooses a mediator that
/// is leaving. Whoever binds comes first: nothing is taken away while there is somebody, and who comes while something is taken away waits
/// for that, bounded.
final class Bindings {
    private final Object lock = new Object();
    /// Guarded by the lock, as the others.
    private int binding;
    private boolean taking;
    private long takingSince;

    /// A device is about to be bound. An interrupt ends the wait, and is kept.
    ///
    /// @param longest how long something may take to be taken away before nobody waits for it any more
    void begin(Duration longest) {
        boolean interrupted = false;
        synchronized (lock) {
            try {
                for (long left = nanosLeft(longest); taking && left > 0; left = nanosLeft(longest)) {
                    TimeUnit.NANOSECONDS.timedWait(lock, left);
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
            binding++;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private long nanosLeft(Duration longest) {
        return takingSince + longest.toNanos() - System.nanoTime();
    }

    /// It is bound, or will not be.
    void end() {
        synchronized (lock) {
            binding--;
        }
    }

    /// Does this while no device is being bound.
    ///
    /// @return false when one is, or something is taken away already; nothing was done then
    boolean takeAway(Runnable work) {
        synchronized (lock) {
            if (taking || binding > 0) {
                return false;
            }
            taking = true;
            takingSince = System.nanoTime();
        }
        try {
            work.run();
            return true;
        } finally {
            synchronized (lock) {
                taking = false;
                lock.notifyAll();
            }
        }
    }
}
