// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DeviceState;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.binding.Abandoned;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.gate.Calls;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.migration.MigrationEngine;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.Region;
import vfio.pci.core.region.TrapInfoRegion;

/// The mediation of one open device, or none: how it comes, what of it the access path looks at, and how it goes.
final class DeviceMediation {
    private static final System.Logger LOG = System.getLogger(DeviceMediation.class.getName());

    private final OpenDevice device;
    private final Interests interests;
    private final Gate<Binding> gate = new Gate<>();
    private final Map<RegionCapability.Type, Integer> places = new ConcurrentHashMap<>();
    private final Object lock = new Object();
    /// Whose context is listened to; changes with the lock held.
    private volatile Context context;
    /// From when it is being bound until it has ended, which is longer than it is in the gate; changes with the lock held.
    private volatile Binding bound;
    private volatile Optional<MigrationRegion> migrationRegion = Optional.empty();
    private volatile Optional<MigrationEngine> migration = Optional.empty();

    DeviceMediation(OpenDevice device, Interests interests) {
        this.device = device;
        this.interests = interests;
    }

    Gate<Binding> gate() {
        return gate;
    }

    Optional<String> mediatorName() {
        return Optional.ofNullable(gate.peek()).map(binding -> binding.mediator().identity().name());
    }

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
            bound = binding;
            context = offered;
        }
        try {
            offered.wants(binding.claims());
            Optional<MigrationEngine> engine = engine(binding);
            IrqTable.Relay relay = binding.relaysInterrupts() ? (kind, vector) -> relay(binding, kind, vector) : IrqTable.Relay.NONE;
            begin(binding, offered, binding.capabilities(), engine, relay);
            describeAgain(offered);
            claimsChanged(offered);
        } catch (VfioException | RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            mediator.failedToBind();
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed while it was bound: {2}", device.address(), mediator,
                Faults.describe(e));
            unbind(binding, "it failed while it was bound");
            return false;
        }
        mediator.bound(device.address());
        LOG.log(System.Logger.Level.INFO, "{0}: mediated by {1}", device.address(), mediator);
        if (mediator.gone()) {
            // It went in this very thread, or while a thread that waited for this one had given up.
            unbind(binding, "its mediator has gone");
            mediator.unbound(device.address());
            return false;
        }
        return true;
    }

    private Optional<MigrationEngine> engine(Binding binding) throws VfioException {
        Optional<MigrationDriver> driver = binding.migration();
        if (driver.isEmpty()) {
            return Optional.empty();
        }
        MigrationDriver vendor = driver.get();
        return Optional.of(new MigrationEngine(device, binding.mediator().identity().name(), new MigrationEngine.Driver() {
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

    /// How the device is moved, if somebody can.
    Optional<Migration> migration() {
        return migration.map(Migration.class::cast);
    }

    /// Lets accesses in, unless the mediation has ended while it was asked what it wants.
    private void begin(Binding binding, Context offered, Set<Capability> capabilities, Optional<MigrationEngine> engine,
            IrqTable.Relay relay) {
        synchronized (lock) {
            if (!binding.isEnding()) {
                device.irqs().relay(relay);
                migration = engine;
                addDefaultRegionsLocked(offered, capabilities);
                offered.bind();
                gate.set(binding);
            }
        }
    }

    private void addDefaultRegionsLocked(Context offered, Set<Capability> capabilities) {
        Optional<TrapInfoRegion> trapInfo = Optional.empty();
        if (capabilities.contains(Capability.MIGRATION)) {
            migrationRegion = Optional.of(device.regions().special(places, RegionCapability.Type.MIGRATION,
                index -> new MigrationRegion(index, device::changeState)));
        }
        if (capabilities.contains(Capability.DYNAMIC_TRAP_BAR)) {
            trapInfo = Optional.of(device.regions().special(places, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO, TrapInfoRegion::new));
            device.irqs().special(1, IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
        }
        interests.begin(offered, trapInfo);
        device.doorbells().begin(offered);
    }

    /// Asks for all regions once, so that sizes and disablable areas are known to the access path.
    private void describeAgain(Context offered) {
        List<Claim> areas = new ArrayList<>();
        int index = 0;
        for (Region region : device.regions().all()) {
            Binding binding = gate.peek();
            RegionInfo info = binding == null ? region.info() : describe(binding, index, region);
            areas.addAll(RegionView.disablable(info, region));
            index++;
        }
        interests.disablable(offered, areas);
    }

    /// A region as the mediation describes it.
    ///
    /// @throws VfioException EIO when the mediation fails
    RegionInfo describe(int index, Region region) throws VfioException {
        Binding binding = gate.peek();
        if (binding == null) {
            return region.info();
        }
        try {
            return describe(binding, index, region);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
    }

    private RegionInfo describe(Binding binding, int index, Region region) {
        RegionInfo defaults = region.info();
        RegionInfo changed = binding.regionInfo(defaults);
        if (changed.index() != index) {
            throw new IllegalStateException("region=%d mediation answered for region=%d".formatted(index, changed.index()));
        }
        synchronized (lock) {
            if (gate.peek() != binding) {
                return defaults;
            }
            region.limit(changed.size());
            return changed;
        }
    }

    /// Doorbells of a region as the mediation wants them.
    ///
    /// @throws VfioException EIO when the mediation fails
    List<Doorbell> doorbells(int index, List<Doorbell> defaults) throws VfioException {
        Binding binding = gate.peek();
        try {
            return binding == null ? defaults : binding.doorbells(index, defaults);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
    }

    /// Asks about a map.
    ///
    /// @throws VfioException EIO when the mediation fails; else what it answers
    MapVerdict askAboutMap(int index, long offset, long length) throws VfioException {
        Binding binding = gate.peek();
        if (binding == null) {
            return MapVerdict.PASS_THROUGH;
        }
        try {
            MapVerdict verdict = binding.map(index, offset, length);
            if (verdict instanceof MapVerdict.Provided(SharedMemory memory, long at)) {
                checkProvided(memory, at, length);
            }
            return verdict;
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
    }

    /// What lies past the end of a file faults when it is touched.
    private static void checkProvided(SharedMemory memory, long offset, long length) {
        if (!(memory instanceof DeviceMemory own) || offset < 0 || offset % Bar.PAGE_SIZE != 0 || offset > own.size() - length) {
            throw new IllegalStateException("provided memory=%s offset=0x%x length=0x%x expected=pages of shared memory of the device"
                .formatted(memory.getClass().getName(), offset, length));
        }
    }

    void claimsChanged(Context owner) {
        synchronized (lock) {
            if (context == owner && gate.peek() != null) {
                interests.claims(owner, owner.claims());
            }
        }
    }

    /// Carries out a change of migration state. The device's turn is held.
    void changeState(MigrationRegion region, DeviceState to) throws VfioException {
        Binding binding = gate.peek();
        if (binding == null) {
            throw new VfioException(Errno.ENODEV, "mediation=gone expected=a mediator that is still there");
        }
        try {
            binding.deviceState(region.state(), to);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        }
        region.state(to);
    }

    /// The device was reset. The device's turn is held.
    void reset() throws VfioException {
        migrationRegion.ifPresent(MigrationRegion::reset);
        migration.ifPresent(MigrationEngine::reset);
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
            device.later(() -> unbind(binding, "it failed " + count + " times"));
        }
        return new VfioException(Errno.EIO, "mediation=failed with %s".formatted(bug.getClass().getSimpleName()));
    }

    /// Ends the mediation if it is this mediator's; when this returns, it has ended, whoever had begun to end it.
    void endOf(Mediator mediator, String why) {
        Binding binding = bound;
        if (binding != null && binding.mediator() == mediator) {
            unbind(binding, why);
        }
    }

    /// Ends whatever mediation there is, because the device closes or goes.
    void end(String why) {
        Binding binding = bound;
        if (binding != null) {
            unbind(binding, why);
        }
    }

    /// Takes the mediation out, waits for who is inside, closes it, ends what it had set, and drops it. Threads that do not leave in time
    /// are interrupted and given up, and the device is isolated until they end. A second thread that calls this waits for the first, unless
    /// it is inside itself.
    /// The claims of a device that has gone stay, so that an access on its way meets the closed gate and not the registers that a mediator
    /// was to hide. The device's turn is not needed: whoever is in the mediation by a reset or a change of state is among those waited for.
    void unbind(Binding binding, String why) {
        long timeout = device.settings().drainTimeout().toNanos();
        long deadline = System.nanoTime() + timeout;
        Context going;
        synchronized (lock) {
            if (!binding.beginEnd()) {
                going = null;
            } else {
                going = context;
                if (!device.hasGone()) {
                    interests.claims(going, List.of());
                }
                gate.clear(binding);
            }
        }
        if (going == null) {
            if (!isInside(binding)) {
                binding.awaitEnd(deadline + 2 * timeout);
            }
            return;
        }
        List<Gate.Inside> inside = gate.drain(binding, deadline);
        List<Thread> callers = binding.calls().drain(deadline);
        inside.removeIf(entry -> entry.thread() == Thread.currentThread());
        if (inside.isEmpty() && callers.isEmpty()) {
            finishWhenOutside(binding, going);
        } else {
            abandon(binding, going, inside, callers);
            ended(binding, going);
        }
        forget(going);
        binding.mediator().unbound(device.address());
        LOG.log(System.Logger.Level.INFO, "{0}: no longer mediated by {1}: {2}", device.address(), binding.mediator(), why);
    }

    private Optional<Gate.Inside> ownEntry(Binding binding) {
        return gate.drain(binding, System.nanoTime()).stream().filter(entry -> entry.thread() == Thread.currentThread()).findFirst();
    }

    private boolean isInside(Binding binding) {
        return ownEntry(binding).isPresent() || binding.calls().isInside(Thread.currentThread());
    }

    /// Finishes now, or when the calling thread, which is inside by itself, has left by every way it came in. A mediation whose mediator
    /// was
    /// given up while a thread asked it is not closed: that thread is in it.
    private void finishWhenOutside(Binding binding, Context going) {
        Optional<Gate.Inside> own = ownEntry(binding);
        if (own.isPresent()) {
            own.get().onLeave(() -> finishWhenOutside(binding, going));
        } else if (!binding.calls().onLeave(() -> finishWhenOutside(binding, going))) {
            if (!going.isRevoked()) {
                close(binding);
            }
            discard(going);
            ended(binding, going);
        }
    }

    private void ended(Binding binding, Context going) {
        forget(going);
        synchronized (lock) {
            if (bound == binding) {
                bound = null;
            }
        }
        binding.ended();
    }

    /// Gives up the threads inside. Nothing that is kept for them leads to the mediation: it may be long before they end.
    private void abandon(Binding binding, Context going, List<Gate.Inside> inside, List<Thread> callers) {
        Calls calls = binding.calls();
        List<Abandoned> left = new ArrayList<>();
        inside.forEach(entry -> left.add(new Abandoned(device.address(), entry.thread(), entry::still)));
        callers.forEach(thread -> left.add(new Abandoned(device.address(), thread, () -> calls.isInside(thread))));
        for (Abandoned thread : left) {
            LOG.log(System.Logger.Level.ERROR, "{0}: thread={1} did not leave mediator {2} within {3}; interrupted and given up",
                device.address(), thread.thread().getName(), binding.mediator(), device.settings().drainTimeout());
            binding.mediator().abandoned(thread);
        }
        device.isolate(left);
        binding.abandon();
        try {
            // A thread that left just now may not have seen that it was given up: its leaving is seen after this, and it is let alone.
            LockSupport.parkNanos(100_000);
            inside.stream().filter(Gate.Inside::still).forEach(entry -> entry.thread().interrupt());
            callers.forEach(calls::interrupt);
        } finally {
            binding.interruptsSent();
        }
        discard(going);
    }

    private void close(Binding binding) {
        try {
            binding.mediation().close();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed in close: {2}", device.address(), binding.mediator(),
                Faults.describe(e));
        }
    }

    /// Ends what a mediation had set; once.
    private void forget(Context going) {
        interests.end(going);
        device.doorbells().end(going);
        synchronized (lock) {
            if (context == going) {
                context = null;
                device.irqs().relay(IrqTable.Relay.NONE);
                migrationRegion = Optional.empty();
                migration.ifPresent(MigrationEngine::end);
                migration = Optional.empty();
                places.values().forEach(device.regions()::remove);
                device.regions().all().forEach(region -> region.limit(region.info().size()));
            }
        }
    }

    /// Nothing works through a context any more, and the regions added through it are empty.
    private void discard(Context offered) {
        offered.revoke();
        offered.added().forEach(device.regions()::remove);
    }
}
