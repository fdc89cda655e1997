// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.migration.MigrationEngine;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.Region;

/// The mediation of one open device, or none: how it comes, and what of it the access path looks at. How it goes is [MediationEnd]'s, how
/// it is exchanged [MediatorExchange]'s.
final class DeviceMediation {
    private static final System.Logger LOG = System.getLogger(DeviceMediation.class.getName());

    private final OpenDevice device;
    private final Interests interests;
    private final Gate<Binding> gate = new Gate<>();
    private final DefaultRegions defaults;
    private final MediationViews views = new MediationViews(this);
    private final Object lock = new Object();
    /// Null without one; there from when it is being bound until it has ended, which is longer than it is in the gate. Changes with the
    /// lock held.
    private volatile Stay stay;

    DeviceMediation(OpenDevice device, Interests interests) {
        this.device = device;
        this.interests = interests;
        this.defaults = new DefaultRegions(device);
    }

    Gate<Binding> gate() {
        return gate;
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

    Optional<Stay> stay() {
        return Optional.ofNullable(stay);
    }

    Optional<String> mediatorName() {
        return Optional.ofNullable(gate.peek()).map(binding -> binding.mediator().identity().name());
    }

    /// How the device is moved, if somebody can.
    Optional<Migration> migration() {
        return gate.peek() == null ? Optional.empty() : stay().flatMap(Stay::engine).map(Migration.class::cast);
    }

    // ---- how it comes

    /// Asks the mediators in turn. The device's turn is held.
    void ask(List<Mediator> inOrder) {
        for (Mediator mediator : inOrder) {
            Context offered = new Context(device.below());
            if (!mediator.enter(device.address(), offered)) {
                continue;
            }
            boolean taken = false;
            try {
                Optional<Mediation> answer = mediator.ask(device.described(), offered);
                taken = answer.isPresent() && !offered.isRevoked() && bind(mediator, offered, answer.get());
            } finally {
                if (!taken) {
                    discard(offered);
                }
                mediator.leave(offered);
            }
            if (taken) {
                return;
            }
        }
    }

    private boolean bind(Mediator mediator, Context offered, Mediation mediation) {
        Binding binding = new Binding(mediator, mediation);
        synchronized (lock) {
            stay = new Stay(binding, offered, Set.of(), Optional.empty(), List.of(), false);
        }
        try {
            Stay made = makeStay(binding, offered);
            begin(made);
            describeAgain(made);
            interests.claims(offered, offered.claims());
        } catch (VfioException | RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            mediator.failedToBind();
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed while it was bound: {2}", device.address(), mediator,
                Faults.describe(e));
            end(binding, "it failed while it was bound");
            return false;
        }
        mediator.bound(device.address());
        LOG.log(System.Logger.Level.INFO, "{0}: mediated by {1}", device.address(), mediator);
        if (mediator.gone()) {
            // It went in this very thread, or while a thread that waited for this one had given up.
            end(binding, "its mediator has gone");
            mediator.unbound(device.address());
            return false;
        }
        return true;
    }

    /// Asks a mediation what it wants.
    Stay makeStay(Binding binding, Context offered) throws VfioException {
        offered.wantsAtFirst(binding::claims);
        Set<Capability> capabilities = binding.capabilities();
        Optional<MigrationEngine> engine = engine(binding);
        defaults.prepare(capabilities, engine);
        device.dmaWindows().tellPresent(binding);
        return new Stay(binding, offered, capabilities, engine, describe(binding), binding.relaysInterrupts());
    }

    private Optional<MigrationEngine> engine(Binding binding) throws VfioException {
        Optional<MigrationDriver> driver = binding.migration();
        if (driver.isEmpty()) {
            return Optional.empty();
        }
        MigrationDriver vendor = driver.get();
        return Optional.of(new MigrationEngine(device.moved(), binding.mediator().identity().name(), new MigrationEngine.Driver() {
            @Override
            public <T> T ask(MigrationEngine.Request<T> request) throws VfioException {
                return migrate(binding, vendor, request);
            }
        }));
    }

    private <T> T migrate(Binding binding, MigrationDriver vendor, MigrationEngine.Request<T> request) throws VfioException {
        try {
            return binding.migrate(vendor, request);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
    }

    private void relay(Binding binding, InterruptKind kind, int vector) {
        try {
            binding.interrupt(kind, vector);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            fault(binding, e);
        }
    }

    private IrqTable.Relay relay(Stay made) {
        return made.relaysInterrupts() ? (kind, vector) -> relay(made.binding(), kind, vector) : IrqTable.Relay.NONE;
    }

    /// Lets accesses in, unless the mediation has ended while it was asked what it wants.
    private void begin(Stay made) {
        synchronized (lock) {
            if (!made.binding().isEnding()) {
                stay = made;
                device.irqs().relay(relay(made));
                defaults.show(made.capabilities(), made.engine());
                interests.begin(made.context(), defaults.trapInfo());
                device.doorbells().begin(made.context());
                made.context().bind();
                gate.set(made.binding());
            }
        }
    }

    private List<RegionInfo> describe(Binding binding) {
        List<RegionInfo> described = new ArrayList<>();
        int index = 0;
        for (Region region : device.regions().all()) {
            described.add(MediationViews.describe(binding, index++, region));
        }
        return described;
    }

    /// Makes sizes and disablable areas known to the access path.
    private void describeAgain(Stay made) {
        List<RegionInfo> described = made.regions();
        List<Claim> areas = new ArrayList<>();
        List<Region> regions = device.regions().all();
        for (int index = 0; index < Math.min(described.size(), regions.size()); index++) {
            Region region = regions.get(index);
            limit(made.binding(), region, described.get(index).size());
            areas.addAll(RegionView.disablable(described.get(index), region));
        }
        interests.disablable(made.context(), areas);
    }

    /// A mediation said how large a region is.
    ///
    /// @return false when it is not the device's any more
    boolean limit(Binding binding, Region region, long size) {
        synchronized (lock) {
            if (gate.peek() != binding) {
                return false;
            }
            region.limit(size);
            return true;
        }
    }

    /// Lets accesses into another mediation, of which all is known, instead of the one before, into which nobody goes any more; that is
    /// not ended. Accesses wait meanwhile, and nobody is in one.
    ///
    /// @return false when it has begun to end
    boolean exchange(Optional<Stay> before, Stay after) {
        synchronized (lock) {
            if (after.binding().isEnding() || before.filter(old -> old.binding().isEnding()).isPresent()) {
                return false;
            }
            before.ifPresent(old -> gate.clear(old.binding()));
            stay = after;
            device.irqs().relay(relay(after));
            defaults.show(after.capabilities(), after.engine());
            gate.set(after.binding());
        }
        interests.shownIn(after.context(), defaults.trapInfo());
        before.ifPresent(old -> device.doorbells().end(old.context()));
        device.doorbells().begin(after.context());
        describeAgain(after);
        return true;
    }

    // ---- while it is there

    void claimsChanged(Context owner) {
        interests.claims(owner, owner.claims());
    }

    /// The device was reset. The device's turn is held.
    void reset() throws VfioException {
        defaults.migration().ifPresent(MigrationRegion::reset);
        stay().flatMap(Stay::engine).ifPresent(MigrationEngine::reset);
        Binding binding = gate.peek();
        if (binding != null) {
            try {
                binding.reset();
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                throw fault(binding, e);
            }
        }
    }

    /// A bug of the mediation's: told, counted, and answered EIO.
    VfioException fault(Binding binding, Throwable bug) {
        int count = binding.fault();
        if (Integer.bitCount(count) == 1) {
            LOG.log(System.Logger.Level.ERROR, "{0}: fault {1} of mediator {2}: {3}", device.address(), count, binding.mediator(),
                Faults.describe(bug));
        }
        if (count >= device.settings().mostFaults() && !binding.isEnding()) {
            device.later(() -> end(binding, "it failed " + count + " times"));
        }
        return new VfioException(Errno.EIO, "mediation=failed with %s".formatted(bug.getClass().getSimpleName()));
    }

    // ---- how it goes

    /// Begins to end the mediation if it is this mediator's: nobody enters it any more.
    ///
    /// @return what is left to be done
    Optional<MediationEnd> beginEndOf(Mediator mediator, String why) {
        return stay().filter(now -> now.mediator() == mediator).map(now -> beginEnd(now, why));
    }

    /// Ends whatever mediation there is, because the device closes or goes.
    void end(String why) {
        stay().ifPresent(now -> beginEnd(now, why).finish());
    }

    private void end(Binding binding, String why) {
        stay().filter(now -> now.binding() == binding).ifPresent(now -> beginEnd(now, why).finish());
    }

    /// Takes the mediation out. A second thread that calls this is to wait for the first, unless it is inside itself. The claims of a
    /// device that has gone stay, so that an access on its way meets the closed gate and not the registers that a mediator was to hide.
    /// The device's turn is not needed: whoever is in the mediation by a reset or a change of state is among those waited for.
    MediationEnd beginEnd(Stay going, String why) {
        synchronized (lock) {
            if (!going.binding().beginEnd()) {
                return new MediationEnd(device, this, going, why, true);
            }
            interests.beginEnd(going.context(), device.hasGone());
            gate.clear(going.binding());
            return new MediationEnd(device, this, going, why, false);
        }
    }

    /// Ends what a mediation had set; once.
    void forget(Stay going) {
        interests.end(going.context());
        device.doorbells().end(going.context());
        going.engine().ifPresent(MigrationEngine::end);
        synchronized (lock) {
            if (stay != null && stay.binding() == going.binding()) {
                stay.engine().ifPresent(MigrationEngine::end);
                stay = null;
                device.irqs().relay(IrqTable.Relay.NONE);
                defaults.show(Set.of(), Optional.empty());
                device.regions().all().forEach(region -> region.limit(region.info().size()));
            }
        }
    }

    /// Nothing works through a context any more, and the regions added through it are empty.
    void discard(Context offered) {
        offered.revoke();
        offered.added().forEach(device.regions()::remove);
    }
}
