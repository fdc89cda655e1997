// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediationLayer;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.migration.Migration;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorStack;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.migration.MigrationEngine;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.Region;

/// Who mediates one open device: a layer for each place that was declared, and what all of them together make of the device.
final class DeviceMediation {
    private static final System.Logger LOG = System.getLogger(DeviceMediation.class.getName());

    private final OpenDevice device;
    private final Interests interests;
    private final DefaultRegions defaults;
    private final MediationViews views = new MediationViews(this);
    private final Object lock = new Object();
    /// Whose gate every port knows: the only layer, where nothing was declared.
    private final Layer base;
    /// Changes in the device's turn while no access is under way.
    private volatile Layers layers;
    private volatile MediatorStack declared = MediatorStack.SINGLE;

    DeviceMediation(OpenDevice device, Interests interests) {
        this.device = device;
        this.interests = interests;
        this.defaults = new DefaultRegions(device);
        this.base = new Layer(device, this, interests, MediatorStack.ANY);
        this.layers = Layers.of(List.of(base), base);
        interests.arrange(layers);
    }

    Object lock() {
        return lock;
    }

    Layer base() {
        return base;
    }

    Layers layers() {
        return layers;
    }

    MediationViews views() {
        return views;
    }

    DefaultRegions defaults() {
        return defaults;
    }

    Interests interests() {
        return interests;
    }

    private Stream<Stay> staysBottomFirst() {
        return layers.bottomFirst().stream().flatMap(layer -> layer.stay().stream());
    }

    /// The layer that a mediator has.
    Optional<Layer> layerOf(Mediator mediator) {
        return layers.bottomFirst().stream().filter(layer -> layer.isOf(mediator)).findFirst();
    }

    /// The lowest layer that can move the device, by which it is moved.
    private Optional<Layer> mover() {
        return layers.bottomFirst().stream().filter(layer -> layer.stay().flatMap(Stay::engine).isPresent()).findFirst();
    }

    /// The stay by which the device is moved; without one that of the lowest layer.
    Optional<Stay> stay() {
        return mover().flatMap(Layer::stay).or(() -> staysBottomFirst().findFirst());
    }

    /// Names of who mediates it, for people.
    Optional<String> mediatorName() {
        List<String> names = layers.topFirst().stream().flatMap(layer -> layer.mediatorName().stream()).toList();
        return names.isEmpty() ? Optional.empty() : Optional.of(String.join(" over ", names));
    }

    /// How the device is moved, if somebody can.
    Optional<Migration> migration() {
        return mover().filter(layer -> layer.gate().peek() != null).flatMap(Layer::stay).flatMap(Stay::engine).map(Migration.class::cast);
    }

    /// Whether the calling thread is in a mediation by a port of a client's, which then waits for it, or is the function's.
    boolean isInAccess() {
        return layers.bottomFirst().stream().anyMatch(layer -> {
            Binding binding = layer.gate().peek();
            return binding != null && layer.gate().drain(binding, System.nanoTime()).stream()
                .anyMatch(inside -> inside.thread() == Thread.currentThread());
        });
    }

    // ---- how they come

    /// Brings the layers into this order. Those that are declared still stay as they are, with who is there; of others the mediation ends.
    /// No access is under way, and the device's turn is held.
    void arrange(MediatorStack stack) {
        if (stack.equals(declared)) {
            return;
        }
        LayerOrder order = new LayerOrder(layers, stack);
        order.dropped().forEach(layer -> layer.end("it is not declared any more"));
        List<Layer> bottomFirst = order.bottomFirst(base, place -> new Layer(device, this, interests, place));
        synchronized (lock) {
            declared = stack;
            layers = Layers.of(bottomFirst, base);
            interests.arrange(layers);
            showLocked();
        }
        describeAgain();
    }

    /// Those of these mediators that may have a layer, in their order.
    List<Mediator> candidates(Layer layer, List<Mediator> inOrder) {
        Layers now = layers;
        return inOrder.stream().filter(mediator -> declared.fits(layer.place(), mediator) && !now.hasElsewhere(mediator, layer)).toList();
    }

    /// Asks mediators for each layer that has none, the lowest first: a mediation finds below it what it will be over. The device's turn is
    /// held.
    void ask(List<Mediator> inOrder) {
        for (Layer layer : layers.bottomFirst()) {
            if (layer.stay().isEmpty()) {
                layer.ask(candidates(layer, inOrder));
            }
        }
        tellOfAbsent();
    }

    /// Says in the log whose place is free though it was declared.
    void tellOfAbsent() {
        for (Layer layer : layers.topFirst()) {
            if (layer.stay().isEmpty() && !layer.place().equals(MediatorStack.ANY)) {
                LOG.log(System.Logger.Level.WARNING, "{0}: declared mediator {1} is not there, or does not take the device, which goes on "
                    + "without it", device.address(), layer.place());
            }
        }
    }

    /// Whether a layer has no mediator.
    boolean hasRoom() {
        return layers.bottomFirst().stream().anyMatch(layer -> layer.stay().isEmpty());
    }

    // ---- what they make of the device together

    /// Has there what the mediations asked for, and nothing else. The lock is held.
    void showLocked() {
        device.irqs().relay(relay());
        Optional<Stay> moving = mover().flatMap(Layer::stay);
        Set<Capability> shown = EnumSet.noneOf(Capability.class);
        if (staysBottomFirst().anyMatch(DeviceMediation::traps)) {
            shown.add(Capability.DYNAMIC_TRAP_BAR);
        }
        if (moving.filter(stay -> stay.capabilities().contains(Capability.MIGRATION)).isPresent()) {
            shown.add(Capability.MIGRATION);
        }
        defaults.show(shown, moving.flatMap(Stay::engine));
        interests.shownIn(defaults.trapInfo());
    }

    /// The same after one that was tried in a layer was not taken: other layers may have changed meanwhile.
    void showAgain() {
        synchronized (lock) {
            showLocked();
            describeAgain();
        }
    }

    private static boolean traps(Stay stay) {
        return stay.capabilities().contains(Capability.DYNAMIC_TRAP_BAR);
    }

    /// Whether the region that shows whether areas trap is there because of another layer.
    boolean isTrapInfoOfOthers(Layer layer) {
        return layers.bottomFirst().stream().filter(other -> other != layer).anyMatch(other -> other.stay().filter(
            DeviceMediation::traps).isPresent());
    }

    private IrqTable.Relay relay() {
        List<Binding> told = staysBottomFirst().filter(Stay::relaysInterrupts).map(Stay::binding).toList();
        return switch (told.size()) {
            case 0 -> IrqTable.Relay.NONE;
            case 1 -> (kind, vector) -> relay(told.getFirst(), kind, vector);
            default -> (kind, vector) -> {
                for (int i = 0; i < told.size(); i++) {
                    relay(told.get(i), kind, vector);
                }
            };
        };
    }

    private void relay(Binding binding, InterruptKind kind, int vector) {
        try {
            binding.interrupt(kind, vector);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            fault(binding, e);
        }
    }

    /// The regions as the mediations there described them first.
    List<RegionInfo> described() {
        List<RegionInfo> described = new ArrayList<>();
        List<Region> regions = device.regions().all();
        for (int index = 0; index < regions.size(); index++) {
            RegionInfo info = regions.get(index).info();
            for (Layer layer : layers.bottomFirst()) {
                Stay stay = layer.stay().orElse(null);
                info = stay == null ? info : stay.describe(index, info);
            }
            described.add(info);
        }
        return described;
    }

    /// Makes sizes and disablable areas known to the access path.
    void describeAgain() {
        synchronized (lock) {
            List<RegionInfo> described = described();
            List<Claim> areas = new ArrayList<>();
            for (RegionInfo info : described) {
                Region region = device.regions().all().get(info.index());
                region.limit(info.size());
                areas.addAll(RegionView.disablable(info, region));
            }
            interests.disablable(areas);
        }
    }

    /// Mediations said how large a region is.
    ///
    /// @param asked those, bottom first
    /// @return false when they are not the device's any more
    boolean limit(List<Binding> asked, Region region, long size) {
        synchronized (lock) {
            if (!asked.equals(present())) {
                return false;
            }
            region.limit(size);
            return true;
        }
    }

    /// Who is let in, bottom first.
    List<Binding> present() {
        return layers.bottomFirst().stream().flatMap(layer -> Stream.ofNullable(layer.gate().peek())).toList();
    }

    /// The device was reset: the mediations learn it from the lowest up. The device's turn is held.
    ///
    /// @throws VfioException what one of them answers, after all were told
    void reset() throws VfioException {
        defaults.migration().ifPresent(MigrationRegion::reset);
        staysBottomFirst().flatMap(stay -> stay.engine().stream()).forEach(MigrationEngine::reset);
        Optional<VfioException> failure = Optional.empty();
        for (Binding binding : present()) {
            try {
                tellReset(binding);
            } catch (VfioException e) {
                failure = failure.or(() -> Optional.of(e));
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }

    private void tellReset(Binding binding) throws VfioException {
        try {
            binding.reset();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
    }

    // ---- doorbells

    /// What the function calls. A new one for each subscription: that the function takes it says that it is done with what was before.
    DoorbellTap doorbellTap() {
        return new DoorbellTap() {
            @Override
            public void doorbell(int bar, long offset, int value) {
                List<Layer> told = layers.bottomFirst();
                for (int i = 0; i < told.size(); i++) {
                    told.get(i).doorbells().rung(bar, offset, value);
                }
            }
        };
    }

    /// Whether a client may get memory by which it could write doorbells that nobody sees.
    boolean isMappable(DeviceHandle handle) {
        return layers.bottomFirst().stream().allMatch(layer -> layer.doorbells().isMappable(handle));
    }

    /// The device is about to be reset: as [WatchedDoorbells#stopForReset] for all.
    void stopDoorbellsForReset() throws VfioException {
        for (Layer layer : layers.bottomFirst()) {
            layer.doorbells().stopForReset();
        }
    }

    /// Another function came: as [WatchedDoorbells#tapAgain] for all.
    void tapDoorbellsAgain() throws VfioException {
        for (Layer layer : layers.bottomFirst()) {
            layer.doorbells().tapAgain();
        }
    }

    /// Does something that waits for the function's threads: as [WatchedDoorbells#whenOutside] for all.
    void whenDoorbellsLeft(Runnable task) {
        Runnable next = task;
        for (Layer layer : layers.bottomFirst()) {
            Runnable then = next;
            next = () -> layer.doorbells().whenOutside(then);
        }
        next.run();
    }

    // ---- what is moved

    /// Refuses what leaves the state of a mediation behind.
    ///
    /// @param moved whose state is taken along
    /// @throws VfioException EOPNOTSUPP naming a mediator of another layer that has state; EIO when it fails
    void checkWhole(Layer moved) throws VfioException {
        for (Layer layer : layers.bottomFirst()) {
            Stay stay = layer.stay().orElse(null);
            if (layer != moved && stay != null && !isStateless(stay.binding())) {
                throw new VfioException(Errno.EOPNOTSUPP, "device=%s mediator=%s expected=one that has no state besides %s".formatted(
                    device.address(), stay.mediator(), moved.mediatorName().orElse("")));
            }
        }
    }

    /// Refuses to have the function bound afresh, where a mediation has state that does not come back.
    ///
    /// @throws VfioException as [#checkWhole]
    void checkRenewable() throws VfioException {
        Optional<Layer> moved = mover();
        if (moved.isPresent()) {
            checkWhole(moved.get());
        }
    }

    private boolean isStateless(Binding binding) throws VfioException {
        try {
            return binding.isStatelessNow();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
    }

    // ---- how they go

    /// A bug of a mediation's: told, counted, and answered EIO.
    VfioException fault(Binding binding, Throwable bug) {
        int count = binding.fault();
        if (Integer.bitCount(count) == 1) {
            LOG.log(System.Logger.Level.ERROR, "{0}: fault {1} of mediator {2}: {3}", device.address(), count, binding.mediator(),
                Faults.describe(bug));
        }
        if (count >= device.settings().mostFaults() && !binding.isEnding()) {
            device.later(() -> layers.bottomFirst().forEach(layer -> layer.end(binding, "it failed " + count + " times")));
        }
        return new VfioException(Errno.EIO, "mediation=failed with %s".formatted(bug.getClass().getSimpleName()));
    }

    /// Begins to end the mediation of this mediator, if it has one: nobody enters it any more.
    ///
    /// @return what is left to be done
    Optional<MediationEnd> beginEndOf(Mediator mediator, String why) {
        return layerOf(mediator).flatMap(layer -> layer.stay().filter(now -> now.mediator() == mediator)
            .map(now -> layer.beginEnd(now, why)));
    }

    /// Ends whatever mediations there are, because the device closes or goes: the highest first, which may use those below until then.
    void end(String why) {
        layers.topFirst().forEach(layer -> layer.end(why));
    }

    /// The layers for people, top first.
    List<MediationLayer> status() {
        return layers.topFirst().stream().map(layer -> new MediationLayer(layer.place(), layer.mediatorName())).toList();
    }
}
