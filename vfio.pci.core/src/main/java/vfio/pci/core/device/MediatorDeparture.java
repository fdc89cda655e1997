// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.List;

/// How a mediator that goes leaves one of its devices. Nobody enters it any more; each step is done for all of its devices before the
/// next.
public final class MediatorDeparture {
    private final MediationEnd end;
    private final Runnable then;

    /// @param then what becomes of the device afterwards
    MediatorDeparture(MediationEnd end, Runnable then) {
        this.end = end;
        this.then = then;
    }

    /// Waits until all of them are left: for threads inside, and for the mediations to close, by one deadline each.
    ///
    /// @param drainTimeout from now on
    public static void finish(List<MediatorDeparture> all, Duration drainTimeout) {
        long drained = System.nanoTime() + drainTimeout.toNanos();
        all.forEach(departure -> departure.end.drain(drained));
        long closed = System.nanoTime() + drainTimeout.toNanos();
        all.forEach(departure -> departure.end.awaitClose(closed));
        all.forEach(departure -> departure.then.run());
    }
}
