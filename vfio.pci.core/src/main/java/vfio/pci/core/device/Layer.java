// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.migration.MigrationEngine;

/// One layer of who mediates an open device: its place in the order, and the mediation there, or none. How that comes, and what of it the
/// access path looks at, is here; how it goes is [MediationEnd]'s, how it is exchanged [MediatorExchange]'s.
final class Layer {
    private static final System.Logger LOG = System.getLogger(Layer.class.getName());

    private final OpenDevice device;
    private final DeviceMediation mediation;
    private final Interests interests;
    private final Gate<Binding> gate = new Gate<>();
    private final Passages passages = new Passages(this);
    private final DeviceBelow below;
    private final WatchedDoorbells doorbells;
    /// The lock of all layers.
    private final Object lock;
    /// What is declared for it; changes in the device's turn.
    private volatile String place;
    /// Null without one; there from when it is being bound until it has ended, which is longer than it is in the gate. Changes with the
    /// lock held.
    private volatile Stay stay;

    Layer(OpenDevice device, DeviceMediation mediation, Interests interests, String place) {
        this.device = device;
        this.mediation = mediation;
        this.interests = interests;
        this.place = place;
        this.lock = mediation.lock();
        this.below = new DeviceBelow(device, this);
        this.doorbells = new WatchedDoorbells(device, this);
    }

    Gate<Binding> gate() {
        return gate;
    }

    /// Ways in for threads that have no port.
    Passages passages() {
        return passages;
    }

    /// What its mediation reaches of the device.
    DeviceBelow below() {
        return below;
    }

    WatchedDoorbells doorbells() {
        return doorbells;
    }

    String place() {
        return place;
    }

    /// It is declared for somebody else. The device's turn is held.
    void place(String declared) {
        place = declared;
    }

    Optional<Stay> stay() {
        return Optional.ofNullable(stay);
    }

    /// Whether this mediator has it.
    boolean isOf(Mediator mediator) {
        Stay now = stay;
        return now != null && now.mediator() == mediator;
    }

    /// The name of who is let in, if somebody is.
    Optional<String> mediatorName() {
        return Optional.ofNullable(gate.peek()).map(binding -> binding.mediator().identity().name());
    }

    // ---- how it comes

    /// Asks mediators in turn. The device's turn is held.
    void ask(List<Mediator> inOrder) {
        ask(inOrder, made -> { });
    }

    /// The same with something to be done for the one that accepts before accesses enter it.
    void ask(List<Mediator> inOrder, Consumer<Stay> beforeEntry) {
        for (Mediator mediator : inOrder) {
            Context offered = new Context(below, mediator.identity().name(), Optional.empty());
            if (!mediator.enter(device.address(), offered)) {
                continue;
            }
            boolean taken = false;
            try {
                Optional<Mediation> answer = mediator.ask(device.described(), offered);
                taken = answer.isPresent() && !offered.isRevoked() && bind(mediator, offered, answer.get(), beforeEntry);
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

    private boolean bind(Mediator mediator, Context offered, Mediation answer, Consumer<Stay> beforeEntry) {
        Binding binding = new Binding(mediator, answer);
        synchronized (lock) {
            stay = new Stay(binding, offered, Set.of(), Optional.empty(), List.of(), List.of(), false);
        }
        try {
            Stay made = makeStay(binding, offered);
            if (begin(made)) {
                beforeEntry.accept(made);
            }
            admit(binding);
            mediation.describeAgain();
            interests.claims(offered);
        } catch (VfioException | RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            mediator.failedToBind();
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed while it was bound: {2}", device.address(), mediator,
                Faults.describe(e));
            end(binding, "it failed while it was bound");
            return false;
        }
        mediator.bound(device.address());
        LOG.log(System.Logger.Level.INFO, "{0}: mediated by {1}", device.address(), mediator);
        if (mediator.gone() || binding.isEnding() || device.hasGone()) {
            // It went in this very thread, or while a thread that waited for this one had given up.
            end(binding, mediator.gone() ? "its mediator has gone" : "it was given up while it was bound");
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
        mediation.defaults().prepare(capabilities, engine);
        MediationViews.Described described = mediation.views().describeFirst(this, binding, device.regions().allOf(offered));
        device.dmaWindows().tellPresent(binding);
        return new Stay(binding, offered, capabilities, engine, described.below(), described.above(), binding.relaysInterrupts());
    }

    private Optional<MigrationEngine> engine(Binding binding) throws VfioException {
        Optional<MigrationDriver> driver = binding.migration();
        if (driver.isEmpty()) {
            return Optional.empty();
        }
        MigrationDriver vendor = driver.get();
        return Optional.of(new MigrationEngine(device.moved(this), binding.mediator().identity().name(), new MigrationEngine.Driver() {
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

    /// Shows what the mediation wants, and gives it a say.
    ///
    /// @return false when it has begun to end while it was asked
    private boolean begin(Stay made) {
        synchronized (lock) {
            if (made.binding().isEnding()) {
                return false;
            }
            stay = made;
            interests.begin(this, made.context());
            mediation.showLocked();
            doorbells.begin(made.context());
            made.context().bind();
            return true;
        }
    }

    /// Lets accesses in, unless the mediation has begun to end.
    private void admit(Binding binding) {
        synchronized (lock) {
            if (!binding.isEnding()) {
                gate.set(binding);
            }
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
            after.context().takenOver();
            device.regions().settle(after.context());
            device.addedIrqs().settle(after.context());
            mediation.showLocked();
            gate.set(after.binding());
        }
        before.ifPresent(old -> doorbells.end(old.context()));
        doorbells.begin(after.context());
        mediation.describeAgain();
        return true;
    }

    // ---- while it is there

    void claimsChanged(Context owner) {
        interests.claims(owner);
    }

    /// A bug of the mediation's: told, counted, and answered EIO.
    VfioException fault(Binding binding, Throwable bug) {
        return mediation.fault(binding, bug);
    }

    // ---- how it goes

    void end(Binding binding, String why) {
        stay().filter(now -> now.binding() == binding).ifPresent(now -> beginEnd(now, why).finish());
    }

    /// Ends whatever mediation there is.
    void end(String why) {
        stay().ifPresent(now -> beginEnd(now, why).finish());
    }

    /// Takes the mediation out. A second thread that calls this is to wait for the first, unless it is inside itself. The claims of a
    /// device that has gone stay, so that an access on its way meets the closed gate and not the registers that a mediator was to hide.
    /// The device's turn is not needed: whoever is in the mediation by a reset or a change of state is among those waited for.
    MediationEnd beginEnd(Stay going, String why) {
        synchronized (lock) {
            boolean replaced = stay != null && stay.binding() != going.binding();
            if (!going.binding().beginEnd()) {
                return new MediationEnd(device, this, going, why, true, replaced);
            }
            interests.beginEnd(going.context(), device.hasGone());
            gate.clear(going.binding());
            return new MediationEnd(device, this, going, why, false, replaced);
        }
    }

    /// Ends what a mediation had set; once.
    void forget(Stay going) {
        interests.end(going.context());
        doorbells.end(going.context());
        going.engine().ifPresent(MigrationEngine::end);
        synchronized (lock) {
            if (stay != null && stay.binding() == going.binding()) {
                stay.engine().ifPresent(MigrationEngine::end);
                stay = null;
                mediation.showLocked();
                mediation.describeAgain();
            }
        }
    }

    /// Nothing works through a context any more, and the regions added through it are empty.
    void discard(Context offered) {
        offered.revoke();
        device.regions().leave(offered);
        device.addedIrqs().leave(offered);
    }
}
