// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DeviceState;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.core.binding.Abandoned;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.gate.Calls;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.Region;
import vfio.pci.core.region.TrapInfoRegion;

/// The mediation of one open device, or none: how it comes, what of it the access path looks at, and how it goes.
final class DeviceMediation {
    private static final System.Logger LOG = System.getLogger(DeviceMediation.class.getName());

    private final OpenDevice device;
    private final Gate<Binding> gate = new Gate<>();
    private final Map<RegionCapability.Type, Integer> places = new HashMap<>();
    private final Object lock = new Object();
    /// Guarded by the lock: what the mediation wants to see, and the areas that can be switched to trapped.
    private List<Claim> claims = List.of();
    private List<Claim> disablable = List.of();
    /// What the access path asks: for clients that cannot be told of trapping, and for those that can.
    private volatile Interest untoldInterest = Interest.NONE;
    private volatile Interest toldInterest = Interest.NONE;
    private volatile Context context;
    private volatile Optional<MigrationRegion> migration = Optional.empty();
    private volatile Optional<TrapInfoRegion> trapInfo = Optional.empty();
    private volatile boolean trapping;

    DeviceMediation(OpenDevice device) {
        this.device = device;
    }

    Gate<Binding> gate() {
        return gate;
    }

    /// Who takes an interest in accesses of a client. Disablable areas trap always for one that cannot be told when they do.
    Interest interest(boolean told) {
        return told ? toldInterest : untoldInterest;
    }

    private void claimLocked(List<Claim> wanted) {
        claims = wanted;
        publishLocked();
    }

    private void disablableLocked(List<Claim> areas) {
        disablable = areas;
        publishLocked();
    }

    private void publishLocked() {
        untoldInterest = Interest.of(claims, disablable);
        toldInterest = Interest.of(claims, trapping ? disablable : List.of());
    }

    boolean trapping() {
        return trapping;
    }

    Optional<String> mediatorName() {
        return Optional.ofNullable(gate.peek()).map(binding -> binding.mediator().identity().name());
    }

    /// Asks the mediators in turn. The device's turn is held.
    void ask(List<Mediator> inOrder) {
        for (Mediator mediator : inOrder) {
            if (!mediator.enter()) {
                continue;
            }
            try {
                Context offered = new Context(device);
                Optional<Mediation> answer = mediator.ask(device.described(), offered);
                if (answer.isPresent() && bind(mediator, offered, answer.get())) {
                    return;
                }
                discard(offered);
            } finally {
                mediator.leave();
            }
        }
    }

    private boolean bind(Mediator mediator, Context offered, Mediation mediation) {
        Binding binding = new Binding(mediator, mediation);
        try {
            if (mediator.gone()) {
                close(binding);
                return false;
            }
            offered.wants(binding.claims());
            addDefaultRegions(binding.capabilities());
            context = offered;
            gate.set(binding);
            describeAgain();
            synchronized (lock) {
                claimLocked(offered.claims());
            }
        } catch (RuntimeException | LinkageError | StackOverflowError | InternalError e) {
            mediator.failedToBind();
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed while it was bound: {2}", device.address(), mediator,
                Faults.describe(e));
            gate.clear(binding);
            close(binding);
            forget(offered);
            return false;
        }
        mediator.bound(device.address());
        LOG.log(System.Logger.Level.INFO, "{0}: mediated by {1}", device.address(), mediator);
        if (mediator.gone()) {
            // Who took the mediator away may have given up waiting for this thread before there was anything to unbind.
            unbind(binding, "its mediator has gone");
            return false;
        }
        return true;
    }

    private void addDefaultRegions(Set<Capability> capabilities) {
        if (capabilities.contains(Capability.MIGRATION)) {
            migration = Optional.of(device.regions().special(places, RegionCapability.Type.MIGRATION,
                index -> new MigrationRegion(index, device::changeState)));
        }
        if (capabilities.contains(Capability.DYNAMIC_TRAP_BAR)) {
            trapInfo = Optional.of(device.regions().special(places, RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO, TrapInfoRegion::new));
            device.irqs().special(1, IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
        }
    }

    /// Asks for all regions once, so that sizes and disablable areas are known to the access path.
    private void describeAgain() {
        List<Claim> areas = new ArrayList<>();
        int index = 0;
        for (Region region : device.regions().all()) {
            areas.addAll(RegionView.disablable(describe(index++, region), region));
        }
        synchronized (lock) {
            disablableLocked(areas);
        }
    }

    /// A region as the mediation describes it.
    RegionInfo describe(int index, Region region) {
        RegionInfo defaults = region.info();
        Binding binding = gate.peek();
        if (binding == null) {
            return defaults;
        }
        RegionInfo changed = binding.regionInfo(defaults);
        if (changed.index() != index) {
            throw new IllegalStateException("region=%d mediation answered for region=%d".formatted(index, changed.index()));
        }
        region.limit(changed.size());
        return changed;
    }

    void claimsChanged(Context owner) {
        synchronized (lock) {
            if (context == owner && gate.peek() != null) {
                claimLocked(owner.claims());
            }
        }
    }

    /// Switches trapping, then tells those who take part.
    void trap(boolean on) {
        synchronized (lock) {
            if (trapping == on) {
                return;
            }
            trapping = on;
            publishLocked();
        }
        LOG.log(System.Logger.Level.DEBUG, "{0}: trapping={1}", device.address(), on);
        trapInfo.ifPresent(region -> region.trapping(on));
        device.irqs().special(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO).ifPresent(irq -> device.irqs().raise(irq, 0));
    }

    /// Carries out a change of migration state. The device's turn is held.
    void changeState(MigrationRegion region, DeviceState to) throws VfioException {
        Binding binding = gate.peek();
        if (binding == null) {
            throw new VfioException(Errno.ENODEV, "mediation=gone expected=a mediator that is still there");
        }
        try {
            binding.deviceState(region.state(), to);
        } catch (RuntimeException | LinkageError | StackOverflowError | InternalError e) {
            throw fault(binding, e);
        }
        region.state(to);
    }

    /// The device was reset. The device's turn is held.
    void reset() throws VfioException {
        migration.ifPresent(MigrationRegion::reset);
        Binding binding = gate.peek();
        if (binding != null) {
            try {
                binding.reset();
            } catch (RuntimeException | LinkageError | StackOverflowError | InternalError e) {
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
        if (count == device.settings().mostFaults()) {
            device.later(() -> unbind(binding, "it failed " + count + " times"));
        }
        return new VfioException(Errno.EIO, "mediation=failed with %s".formatted(bug.getClass().getSimpleName()));
    }

    /// The binding to a mediator, if that is who mediates.
    Optional<Binding> bindingOf(Mediator mediator) {
        return Optional.ofNullable(gate.peek()).filter(binding -> binding.mediator() == mediator);
    }

    /// Ends whatever mediation there is, because the device closes or goes.
    void end(String why) {
        Optional.ofNullable(gate.peek()).ifPresent(binding -> unbind(binding, why));
    }

    /// Takes the mediation out, waits for who is inside, closes it, ends what it had set, and drops it. Threads that do not leave in time
    /// are interrupted and given up, and the device is isolated until they end. The claims of a device that has gone stay, so that an
    /// access on its way meets the closed gate and not the registers that a mediator was to hide.
    void unbind(Binding binding, String why) {
        long deadline = System.nanoTime() + device.settings().drainTimeout().toNanos();
        boolean turn = device.takeTurn(deadline);
        try {
            Context going;
            synchronized (lock) {
                if (gate.peek() != binding) {
                    return;
                }
                if (!device.hasGone()) {
                    claimLocked(List.of());
                }
                gate.clear(binding);
                going = context;
            }
            binding.calls().shut();
            List<Gate.Inside> inside = gate.drain(binding, deadline);
            List<Thread> callers = binding.calls().drain(deadline);
            Thread self = Thread.currentThread();
            Optional<Gate.Inside> own = inside.stream().filter(entry -> entry.thread() == self).findFirst();
            List<Abandoned> left = new ArrayList<>();
            inside.stream().filter(entry -> entry.thread() != self)
                .forEach(entry -> left.add(new Abandoned(device.address(), entry.thread(), entry::still)));
            Calls calls = binding.calls();
            callers.forEach(thread -> left.add(new Abandoned(device.address(), thread, () -> calls.isInside(thread))));
            boolean ownCall = binding.calls().isInside(self);
            if (!left.isEmpty()) {
                abandon(binding, going, left);
            } else if (own.isPresent() && !ownCall) {
                own.get().onLeave(() -> finish(binding, going));
            } else {
                finish(binding, going);
            }
            forget(going);
            binding.mediator().unbound(device.address());
            LOG.log(System.Logger.Level.INFO, "{0}: no longer mediated by {1}: {2}", device.address(), binding.mediator(), why);
        } finally {
            if (turn) {
                device.endTurn();
            }
        }
    }

    private void finish(Binding binding, Context going) {
        close(binding);
        going.revoke();
    }

    private void abandon(Binding binding, Context going, List<Abandoned> left) {
        binding.abandon();
        going.revoke();
        for (Abandoned thread : left) {
            LOG.log(System.Logger.Level.ERROR, "{0}: thread={1} did not leave mediator {2} within {3}; interrupted and given up",
                device.address(), thread.thread().getName(), binding.mediator(), device.settings().drainTimeout());
            binding.mediator().abandoned(thread);
            thread.thread().interrupt();
        }
        device.isolate(left);
    }

    private void close(Binding binding) {
        try {
            binding.mediation().close();
        } catch (RuntimeException | LinkageError | StackOverflowError | InternalError e) {
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed in close: {2}", device.address(), binding.mediator(),
                Faults.describe(e));
        }
    }

    /// Ends what a mediation had set.
    private void forget(Context going) {
        trap(false);
        synchronized (lock) {
            if (context == going) {
                context = null;
            }
            disablableLocked(List.of());
            migration = Optional.empty();
            trapInfo = Optional.empty();
        }
        places.values().forEach(device.regions()::remove);
        going.added().forEach(device.regions()::remove);
        device.regions().all().forEach(region -> region.limit(region.info().size()));
    }

    /// A context that nobody took: what was done through it is undone.
    private void discard(Context offered) {
        offered.revoke();
        offered.added().forEach(device.regions()::remove);
    }
}
