// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import vfio.pci.api.PciAddress;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.binding.Context;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.region.TrapInfoRegion;

/// Which accesses of a device somebody takes an interest in: what the mediations claim, layer by layer, and the areas that can be switched
/// to trapped, with the switch, which is on as long as one of them wants it. One mediation of a layer at a time has a say; what another
/// does is without effect.
final class Interests {
    private static final System.Logger LOG = System.getLogger(Interests.class.getName());

    private final PciAddress address;
    private final IrqTable irqs;
    private final Object lock = new Object();
    /// These are guarded by the lock.
    private Layers layers = Layers.NONE;
    private final Map<Layer, Said> said = new IdentityHashMap<>();
    private List<Claim> disablable = List.of();
    private Optional<TrapInfoRegion> region = Optional.empty();
    private Consumer<Interest> watch = interest -> { };
    private volatile boolean trapping;
    /// How often trapping was switched; wraps.
    private volatile int generation;
    /// What the access path asks: for clients that cannot be told of trapping, and for those that can.
    private volatile Interest untold = Interest.NONE;
    private volatile Interest told = Interest.NONE;

    /// What the mediation of one layer said last.
    private static final class Said {
        private Context owner;
        private List<Claim> claims = List.of();
        private boolean traps;
        /// Whether the owner goes, and claims nothing any more.
        private boolean deaf;
    }

    Interests(PciAddress address, IrqTable irqs) {
        this.address = address;
        this.irqs = irqs;
    }

    /// Has somebody told of what may interest anybody, now and whenever it changes.
    void watch(Consumer<Interest> watcher) {
        synchronized (lock) {
            watch = watcher;
            watcher.accept(untold);
        }
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

    /// All that is claimed, by whichever layer.
    List<Claim> claimed() {
        synchronized (lock) {
            return said.values().stream().flatMap(one -> one.claims.stream()).toList();
        }
    }

    /// The index of the region that shows whether areas trap, if there is one.
    Optional<Integer> shownIn() {
        synchronized (lock) {
            return region.map(shown -> shown.info().index());
        }
    }

    /// The layers are others now, or in another order. No access is under way.
    void arrange(Layers newLayers) {
        synchronized (lock) {
            layers = newLayers;
            said.keySet().retainAll(newLayers.bottomFirst());
            newLayers.bottomFirst().forEach(layer -> said.computeIfAbsent(layer, made -> new Said()));
            publishLocked();
        }
    }

    /// A mediation of a layer gets a say.
    void begin(Layer layer, Context newOwner) {
        synchronized (lock) {
            Said one = said.get(layer);
            one.owner = newOwner;
            one.deaf = false;
            showLocked();
        }
    }

    /// What one mediation had set, for as long as another is tried.
    record Kept(Context owner, List<Claim> claims, boolean traps, List<Claim> disablable, Optional<TrapInfoRegion> region,
            boolean trapping) {
    }

    /// What is set for a layer now.
    Kept kept(Layer layer) {
        synchronized (lock) {
            Said one = said.get(layer);
            return new Kept(one.owner, one.claims, one.traps, disablable, region, trapping);
        }
    }

    /// Sets again what was set; nobody is told, for accesses waited meanwhile.
    void restore(Layer layer, Kept kept) {
        synchronized (lock) {
            Said one = said.get(layer);
            one.owner = kept.owner();
            one.claims = kept.claims();
            one.traps = kept.traps();
            one.deaf = false;
            region = kept.region();
            disablable = kept.disablable();
            publishLocked();
            showLocked();
        }
    }

    /// A mediation is tried in place of another: what that had set is not in force, and no areas can be switched. Has no effect for one
    /// that was given up meanwhile, whose predecessor goes on.
    void tryOut(Layer layer, Context newOwner, Optional<TrapInfoRegion> shownIn) {
        synchronized (lock) {
            if (newOwner.isRevoked()) {
                return;
            }
            Said one = said.get(layer);
            one.owner = newOwner;
            one.claims = List.of();
            one.traps = false;
            one.deaf = false;
            region = shownIn;
            disablable = List.of();
            publishLocked();
            showLocked();
        }
    }

    /// A region shows whether areas trap, or none.
    void shownIn(Optional<TrapInfoRegion> shown) {
        synchronized (lock) {
            region = shown;
            showLocked();
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
            saidByLocked(asker).ifPresent(one -> {
                one.deaf = true;
                if (!keep) {
                    one.claims = List.of();
                    publishLocked();
                }
            });
        }
    }

    /// Takes over what the mediation claims now. That is asked for with the lock held, or an older answer could come last.
    ///
    /// @throws IllegalArgumentException for a region no device could have; the claims stay as they were
    void claims(Context asker) {
        synchronized (lock) {
            saidByLocked(asker).filter(one -> !one.deaf).ifPresent(one -> {
                List<Claim> before = one.claims;
                boolean published = false;
                try {
                    one.claims = asker.claims();
                    publishLocked();
                    published = true;
                } finally {
                    if (!published) {
                        one.claims = before;
                    }
                }
            });
        }
    }

    /// Says which areas can be switched.
    void disablable(List<Claim> areas) {
        synchronized (lock) {
            disablable = areas;
            publishLocked();
        }
    }

    /// Switches trapping, as far as the asker has a say, then tells those who take part.
    ///
    /// @return false when the asker has no say
    boolean trap(Context asker, boolean on) {
        Optional<TrapInfoRegion> shown;
        List<Claim> areas;
        synchronized (lock) {
            Optional<Said> one = saidByLocked(asker);
            if (one.isEmpty()) {
                return false;
            }
            one.get().traps = on;
            if (!switchLocked()) {
                return true;
            }
            shown = region;
            areas = disablable;
        }
        tell(shown, areas);
        return true;
    }

    /// A mediation has no say any more: nothing traps because of it. Its claims are taken away before, by who ends it.
    void end(Context asker) {
        Optional<TrapInfoRegion> shown;
        List<Claim> areas;
        boolean switched;
        synchronized (lock) {
            Optional<Said> one = saidByLocked(asker);
            if (one.isEmpty()) {
                return;
            }
            one.get().owner = null;
            one.get().traps = false;
            switched = switchLocked();
            shown = region;
            areas = disablable;
        }
        if (switched) {
            tell(shown, areas);
        }
    }

    private Optional<Said> saidByLocked(Context asker) {
        return said.values().stream().filter(one -> one.owner == asker).findFirst();
    }

    /// @return whether that made a difference
    private boolean switchLocked() {
        boolean before = trapping;
        if (said.values().stream().anyMatch(one -> one.traps) == before) {
            return false;
        }
        publishLocked();
        showLocked();
        return true;
    }

    private void showLocked() {
        region.ifPresent(state -> state.show(trapping, generation));
    }

    private void publishLocked() {
        boolean on = said.values().stream().anyMatch(one -> one.traps);
        List<Interest.Claimed> claimed = new ArrayList<>();
        said.forEach((layer, one) -> claimed.add(new Interest.Claimed(layers.bitOf(layer), one.claims)));
        Interest newUntold = Interest.of(layers, claimed, disablable);
        Interest newTold = Interest.of(layers, claimed, on ? disablable : List.of());
        if (trapping != on) {
            generation++;
            trapping = on;
        }
        untold = newUntold;
        told = newTold;
        // Areas that trap for some clients only are watched for all.
        watch.accept(newUntold);
    }

    /// Tells those who take part that areas of these ranges' regions are not what they were.
    void tellAreas(List<Claim> ranges) {
        Optional<TrapInfoRegion> shown;
        synchronized (lock) {
            shown = region;
        }
        tell(shown, ranges);
    }

    private void tell(Optional<TrapInfoRegion> shown, List<Claim> areas) {
        LOG.log(System.Logger.Level.DEBUG, "{0}: trapping={1}", address, trapping);
        shown.ifPresent(TrapInfoRegion::tell);
        irqs.special(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO).ifPresent(irq -> irqs.raise(irq, 0));
        irqs.special(IrqInfo.Type.REGION_AREAS).ifPresent(
            irq -> areas.stream().mapToInt(Claim::region).distinct().forEach(changed -> irqs.raise(irq, changed)));
    }
}
