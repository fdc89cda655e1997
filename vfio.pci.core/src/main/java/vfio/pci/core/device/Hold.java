// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.PciAddress;

/// A time in which the accesses of a device wait, in the order in which each port makes them. It ends when somebody releases it, or by
/// itself at its bound, for it must not last longer than a client's patience.
final class Hold {
    private static final System.Logger LOG = System.getLogger(Hold.class.getName());

    private final PciAddress address;
    private final String why;
    private final Duration bound;
    private final CountDownLatch over = new CountDownLatch(1);
    /// Guarded by itself.
    private final Set<Runnable> waiting = new LinkedHashSet<>();

    /// @param why for people
    /// @param bound after which it ends by itself
    Hold(PciAddress address, String why, Duration bound) {
        this.address = address;
        this.why = why;
        this.bound = bound;
    }

    /// Why accesses wait.
    String why() {
        return why;
    }

    /// Sees to it that it ends.
    ///
    /// @param release ends it
    void watch(Runnable release) {
        Thread.ofVirtual().name("vfio-hold-" + address).start(() -> {
            try {
                if (!over.await(bound.toNanos(), TimeUnit.NANOSECONDS)) {
                    LOG.log(System.Logger.Level.ERROR, "{0}: accesses go on after {1}, though not all is done: {2}", address, bound, why);
                    release.run();
                }
            } catch (InterruptedException e) {
                release.run();
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
