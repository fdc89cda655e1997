// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
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
    private final Consumer<Interest> watched;
    private final Object lock = new Object();
    /// These are guarded by the lock.
    private Context owner;
    private List<Claim> claims = List.of();
    private List<Claim> disablable = List.of();
    private Optional<TrapInfoRegion> region = Optional.empty();
    /// Whether the owner goes, and claims nothing any more.
    private boolean deaf;
    private volatile boolean trapping;
    /// How often trapping was switched; wraps.
    private volatile int generation;
    /// What the access path asks: for clients that cannot be told of trapping, and for those that can.
    private volatile Interest untold = Interest.NONE;
    private volatile Interest told = Interest.NONE;

    /// Nobody takes an interest yet.
    ///
    /// @param watched is told of what may interest somebody, with the lock held
    Interests(PciAddress address, IrqTable irqs, Consumer<Interest> watched) {
        this.address = address;
        this.irqs = irqs;
        this.watched = watched;
    }

    /// Who takes an interest in accesses of a client. Disablable areas trap always for one that cannot be told when they do.
    Interest of(boolean toldClient) {
        return toldClient ? told : untold;
    }

    boolean trapping() {
        return trapping;
    }

    /// Number of the last switch of trapping.
    int generation() {
        return generation;
    }

    /// The areas that can be switched.
    List<Claim> disablable() {
        synchronized (lock) {
            return disablable;
        }
    }

    /// The index of the region that shows whether areas trap, if there is one.
    Optional<Integer> shownIn() {
        synchronized (lock) {
            return region.map(shown -> shown.info().index());
        }
    }

    /// A mediation gets a say, and may have a region that shows whether areas trap.
    void begin(Context newOwner, Optional<TrapInfoRegion> shownIn) {
        synchronized (lock) {
            owner = newOwner;
            region = shownIn;
            deaf = false;
            showLocked();
        }
    }

    /// What one mediation had set, for as long as another is tried.
    record Kept(Context owner, List<Claim> claims, List<Claim> disablable, Optional<TrapInfoRegion> region, boolean trapping) {
    }

    /// What is set now.
    Kept kept() {
        synchronized (lock) {
            return new Kept(owner, claims, disablable, region, trapping);
        }
    }

    /// Sets again what was set; nobody is told, for accesses waited meanwhile.
    void restore(Kept kept) {
        synchronized (lock) {
            owner = kept.owner();
            region = kept.region();
            deaf = false;
            publishLocked(kept.claims(), kept.disablable(), kept.trapping());
            showLocked();
        }
    }

    /// A mediation is tried in place of another: what that had set is not in force, and the areas do not trap.
    void tryOut(Context newOwner, Optional<TrapInfoRegion> shownIn) {
        synchronized (lock) {
            begin(newOwner, shownIn);
            publishLocked(List.of(), List.of(), false);
            showLocked();
        }
    }

    /// A region shows whether areas trap, or none.
    void shownIn(Context asker, Optional<TrapInfoRegion> shown) {
        synchronized (lock) {
            if (owner == asker) {
                region = shown;
                showLocked();
            }
        }
    }

    /// Another has been taken over from, and the areas trap or not.
    void tellOf(Kept before) {
        Optional<TrapInfoRegion> shown;
        List<Claim> areas;
        synchronized (lock) {
            if (trapping == before.trapping()) {
                return;
            }
            shown = region;
            areas = disablable;
        }
        tell(shown, areas);
    }

    /// The mediation goes: it claims nothing any more, whatever it says.
    ///
    /// @param keep whether what it claims is to stay claimed
    void beginEnd(Context asker, boolean keep) {
        synchronized (lock) {
            if (owner == asker) {
                deaf = true;
                if (!keep) {
                    publishLocked(List.of(), disablable, trapping);
                }
            }
        }
    }

    /// Replaces the claims.
    ///
    /// @throws IllegalArgumentException for a region no device could have; the claims stay as they were
    void claims(Context asker, List<Claim> all) {
        synchronized (lock) {
            if (owner == asker && !deaf) {
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
        List<Claim> areas;
        synchronized (lock) {
            if (owner != asker) {
                return false;
            }
            if (trapping == on) {
                return true;
            }
            publishLocked(claims, disablable, on);
            shown = region;
            areas = disablable;
            showLocked();
        }
        tell(shown, areas);
        return true;
    }

    /// A mediation has no say any more: nothing traps. Its claims are taken away before, by who ends it.
    void end(Context asker) {
        Optional<TrapInfoRegion> shown;
        List<Claim> areas;
        boolean switched;
        synchronized (lock) {
            if (owner != asker) {
                return;
            }
            shown = region;
            areas = disablable;
            switched = trapping;
            publishLocked(claims, List.of(), false);
            showLocked();
            owner = null;
            region = Optional.empty();
        }
        if (switched) {
            tell(shown, areas);
        }
    }

    private void showLocked() {
        region.ifPresent(state -> state.show(trapping, generation));
    }

    private void publishLocked(List<Claim> newClaims, List<Claim> newDisablable, boolean on) {
        Interest newUntold = Interest.of(newClaims, newDisablable);
        Interest newTold = Interest.of(newClaims, on ? newDisablable : List.of());
        claims = newClaims;
        disablable = newDisablable;
        if (trapping != on) {
            generation++;
            trapping = on;
        }
        untold = newUntold;
        told = newTold;
        // Areas that trap for some clients only are watched for all.
        watched.accept(newUntold);
    }

    private void tell(Optional<TrapInfoRegion> shown, List<Claim> areas) {
        LOG.log(System.Logger.Level.DEBUG, "{0}: trapping={1}", address, trapping);
        shown.ifPresent(TrapInfoRegion::tell);
        irqs.special(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO).ifPresent(irq -> irqs.raise(irq, 0));
        irqs.special(IrqInfo.Type.REGION_AREAS).ifPresent(
            irq -> areas.stream().mapToInt(Claim::region).distinct().forEach(changed -> irqs.raise(irq, changed)));
    }
}
