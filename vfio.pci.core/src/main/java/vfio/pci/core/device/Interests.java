// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.binding.Context;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.region.TrapInfoRegion;

/// Which accesses of a device somebody takes an interest in: what the mediation claims, and the areas that can be switched to trapped, with
/// the switch. One mediation at a time has a say in it; what another does is without effect.
final class Interests {
    private static final System.Logger LOG = System.getLogger(Interests.class.getName());

    private final PciAddress address;
    private final IrqTable irqs;
    private final Object lock = new Object();
    /// These are guarded by the lock.
    private Context owner;
    private List<Claim> claims = List.of();
    private List<Claim> disablable = List.of();
    private Optional<TrapInfoRegion> region = Optional.empty();
    private volatile boolean trapping;
    /// What the access path asks: for clients that cannot be told of trapping, and for those that can.
    private volatile Interest untold = Interest.NONE;
    private volatile Interest told = Interest.NONE;

    Interests(PciAddress address, IrqTable irqs) {
        this.address = address;
        this.irqs = irqs;
    }

    /// Who takes an interest in accesses of a client. Disablable areas trap always for one that cannot be told when they do.
    Interest of(boolean toldClient) {
        return toldClient ? told : untold;
    }

    boolean trapping() {
        return trapping;
    }

    /// A mediation gets a say, and may have a region that shows whether areas trap.
    void begin(Context newOwner, Optional<TrapInfoRegion> shownIn) {
        synchronized (lock) {
            owner = newOwner;
            region = shownIn;
        }
    }

    /// Replaces the claims.
    ///
    /// @throws IllegalArgumentException for a region no device could have; the claims stay as they were
    void claims(Context asker, List<Claim> all) {
        synchronized (lock) {
            if (owner == asker) {
                publishLocked(all, disablable, trapping);
            }
        }
    }

    /// Says which areas can be switched.
    void disablable(Context asker, List<Claim> areas) {
        synchronized (lock) {
            if (owner == asker) {
                publishLocked(claims, areas, trapping);
            }
        }
    }

    /// Switches trapping, then tells those who take part.
    ///
    /// @return false when the asker has no say
    boolean trap(Context asker, boolean on) {
        Optional<TrapInfoRegion> shown;
        synchronized (lock) {
            if (owner != asker) {
                return false;
            }
            if (trapping == on) {
                return true;
            }
            publishLocked(claims, disablable, on);
            shown = region;
            shown.ifPresent(state -> state.show(on));
        }
        tell(shown);
        return true;
    }

    /// A mediation has no say any more: nothing traps. Its claims are taken away before, by who ends it.
    void end(Context asker) {
        Optional<TrapInfoRegion> shown;
        boolean switched;
        synchronized (lock) {
            if (owner != asker) {
                return;
            }
            shown = region;
            switched = trapping;
            publishLocked(claims, List.of(), false);
            shown.ifPresent(state -> state.show(false));
            owner = null;
            region = Optional.empty();
        }
        if (switched) {
            tell(shown);
        }
    }

    private void publishLocked(List<Claim> newClaims, List<Claim> newDisablable, boolean on) {
        Interest newUntold = Interest.of(newClaims, newDisablable);
        Interest newTold = Interest.of(newClaims, on ? newDisablable : List.of());
        claims = newClaims;
        disablable = newDisablable;
        trapping = on;
        untold = newUntold;
        told = newTold;
    }

    private void tell(Optional<TrapInfoRegion> shown) {
        LOG.log(System.Logger.Level.DEBUG, "{0}: trapping={1}", address, trapping);
        shown.ifPresent(TrapInfoRegion::tell);
        irqs.special(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO).ifPresent(irq -> irqs.raise(irq, 0));
    }
}
