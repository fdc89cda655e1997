// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.mediation.Capability;
import vfio.pci.core.binding.Abandoned;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.HandedOver;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.VendorCall;
import vfio.pci.core.migration.ExchangeFace;
import vfio.pci.core.migration.SavedState;

/// The exchange of who has a layer of an open device, in a pause of it: the old mediation is kept until the new one has accepted, taken
/// over the state and gone on; where that fails the old one has its state again and goes on itself. Whatever is a vendor's runs on another
/// thread, by a deadline.
///
/// The turn stays with the thread that does the exchange: what it has vendors do is done on its behalf.
final class MediatorExchange {
    private static final System.Logger LOG = System.getLogger(MediatorExchange.class.getName());

    private final OpenDevice device;
    private final Pause pause;
    private final DeviceMediation mediation;
    private final Layer layer;
    private final Interests interests;
    private final Optional<Stay> before;
    private final Withheld withheld;
    private final MappedDoorbells doorbells;
    private Optional<SavedState> saved = Optional.empty();
    /// What the old mediation keeps by itself, instead of that. Written by the thread that asks it.
    private volatile Optional<HandedOver> kept = Optional.empty();
    /// Whether another had its hands on the state of the device. Written by the thread that tries it.
    private volatile boolean touched;

    /// An exchange of whoever has a layer now.
    MediatorExchange(OpenDevice device, Pause pause, Layer layer) {
        this.device = device;
        this.pause = pause;
        this.mediation = device.mediation();
        this.interests = mediation.interests();
        this.layer = layer;
        this.before = layer.stay();
        this.withheld = new Withheld(device);
        this.doorbells = new MappedDoorbells(device);
    }

    /// Whose the layer is now.
    Optional<Mediator> mediator() {
        return before.map(Stay::mediator);
    }

    /// Has the mediation stop the device and give its state. On failure it goes on.
    ///
    /// @throws VfioException EOPNOTSUPP when it has state that cannot be saved; EBUSY when a client moves the device; EIO when it fails;
    ///     ETIMEDOUT when it hangs: it is given up then
    void save() throws VfioException {
        Stay old = before.orElseThrow(() -> new VfioException(Errno.ENODEV, "device=%s expected=a mediator".formatted(device.address())));
        requireTime();
        VendorCall call = VendorCall.start("vfio-save-" + device.address(), () -> save(old));
        awaitSaved(old, call);
    }

    /// Has the mediation, if there is one, give what it keeps by itself, if it does.
    ///
    /// @throws VfioException ETIMEDOUT when it hangs: it is given up then
    void saveKept() throws VfioException {
        if (before.isPresent()) {
            Stay old = before.get();
            requireTime();
            awaitSaved(old, VendorCall.start("vfio-save-" + device.address(), () -> {
                try {
                    kept = old.binding().handOver();
                } catch (VfioException e) {
                    LOG.log(System.Logger.Level.WARNING, "{0}: mediator {1} hands nothing over: {2}", device.address(), old.mediator(),
                        e.getMessage());
                }
            }));
        }
    }

    /// Whether others took the time that somebody else was to have: nobody is given up for that.
    private boolean isLate(int quarters) {
        return pause.quarter(quarters) - System.nanoTime() < device.settings().drainTimeout().toNanos() / 8;
    }

    private void requireTime() throws VfioException {
        if (isLate(1)) {
            throw new VfioException(Errno.ETIMEDOUT, "device=%s expected=time left in the pause to save what is kept".formatted(
                device.address()));
        }
    }

    private void awaitSaved(Stay old, VendorCall call) throws VfioException {
        if (!call.await(pause.quarter(1))) {
            giveUp(old);
            throw new VfioException(Errno.ETIMEDOUT, "mediator=%s hangs while it saves its state, and was given up".formatted(
                old.mediator()));
        }
        if (call.failure().isPresent()) {
            throw new VfioException(Errno.EIO, "mediator=%s its state cannot be saved: %s".formatted(old.mediator(), call.failure().get()));
        }
    }

    private void save(Stay old) throws VfioException {
        boolean stateless = old.binding().isStateless();
        Optional<ExchangeFace> engine = old.state();
        if (engine.isPresent()) {
            engine.get().checkIdle();
        }
        if (stateless) {
            return;
        }
        kept = old.binding().handOver();
        if (kept.isEmpty()) {
            saved = Optional.of(engine.orElseThrow(() -> new VfioException(Errno.EOPNOTSUPP,
                "expected=a mediation that can be moved, hands over what it keeps, or says that it is stateless")).takeOut());
        }
    }

    /// It went while another was tried in its place: what it had set has just come back, and nobody else takes it away.
    private void endAgain(Stay old) {
        interests.beginEnd(old.context(), device.hasGone());
        interests.end(old.context());
    }

    private void giveUp(Stay old) {
        MediationEnd end = layer.beginEnd(old, "it hung while its state was saved");
        end.drain(System.nanoTime());
        end.awaitClose(System.nanoTime());
    }

    /// Has another mediator take over. When that fails all is as it was before [#save()].
    ///
    /// @param carries whether it must be able to go on where the old one was
    /// @param beforeOldGoesOn run before that, if the old one does
    /// @return why it failed, if it did
    Optional<String> takeOver(Mediator to, boolean carries, Runnable beforeOldGoesOn) {
        if (isLate(2)) {
            beforeOldGoesOn.run();
            putBack();
            return notTaken(to, "no time is left in the pause");
        }
        Interests.Kept kept = interests.kept(layer);
        Trial trial = new Trial(to, carries);
        VendorCall call = VendorCall.start("vfio-takeover-" + device.address(), trial::run);
        boolean ended = call.await(pause.quarter(2));
        Optional<String> failure = ended ? call.failure() : Optional.of("it hangs");
        if (failure.isEmpty() && (to.gone() || !layer.exchange(before, trial.stay))) {
            failure = Optional.of("it has gone, or the mediator before it");
        }
        if (failure.isPresent()) {
            trial.undo(ended);
            interests.restore(layer, kept);
            before.filter(old -> old.binding().isEnding()).ifPresent(this::endAgain);
            mediation.showAgain();
            beforeOldGoesOn.run();
            putBack();
            return notTaken(to, failure.get());
        }
        to.bound(device.address());
        interests.tellOf(kept);
        before.ifPresent(old -> {
            MediationEnd end = layer.beginEnd(old, "replaced by " + to);
            end.drain(pause.quarter(3));
            end.awaitClose(pause.quarter(4));
        });
        LOG.log(System.Logger.Level.INFO, "{0}: mediated by {1}", device.address(), to);
        return Optional.empty();
    }

    private Optional<String> notTaken(Mediator to, String why) {
        LOG.log(System.Logger.Level.WARNING, "{0}: mediator {1} did not take over, {2} goes on: {3}", device.address(), to,
            before.map(old -> old.mediator().toString()).orElse("the device without one"), why);
        return Optional.of(why);
    }

    /// Nobody takes over: the old mediation goes on from the state that it gave.
    void putBack() {
        if (saved.isEmpty() || before.isEmpty() || before.get().state().isEmpty()) {
            return;
        }
        ExchangeFace engine = before.get().state().get();
        SavedState state = saved.get();
        saved = Optional.empty();
        VendorCall call = VendorCall.start("vfio-putback-" + device.address(), () -> {
            if (touched) {
                load(engine, state);
            }
            engine.goOn();
        });
        boolean ended = call.await(pause.quarterAndHalf(3));
        if (!ended || call.failure().isPresent()) {
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} cannot go on either, and is unbound: {2}", device.address(),
                before.get().mediator(), ended ? call.failure().get() : "it hangs");
            giveUp(before.get());
        }
    }

    private void load(ExchangeFace engine, SavedState state) throws VfioException {
        doorbells.look();
        engine.putIn(state);
        doorbells.ringAgain();
    }

    /// What came of it, for people.
    Exchange result(Optional<String> failure) {
        return new Exchange(device.address(), mediation.mediatorName(), failure, pause.lasted(),
            failure.isPresent() ? List.of() : withheld.since());
    }

    /// Another mediator is tried. Until it is taken, nothing that it does is seen by an access.
    private final class Trial {
        private final Mediator to;
        private final boolean carries;
        private final Context offered;
        private volatile Binding binding;
        private volatile Stay stay;

        Trial(Mediator to, boolean carries) {
            this.to = to;
            this.carries = carries;
            this.offered = new Context(layer.below(), to.identity().name(), before.map(Stay::context));
        }

        void run() throws VfioException {
            if (mediation.layers().hasElsewhere(to, layer)) {
                throw new VfioException(Errno.EBUSY, "it has another layer of the device");
            }
            if (!to.enter(device.address(), offered)) {
                throw new VfioException(Errno.ENODEV, "it has gone");
            }
            try {
                binding = new Binding(to, to.askToTakeOver(device.described(), offered));
                Stay made = layer.makeStay(binding, offered);
                boolean shows = made.capabilities().contains(Capability.DYNAMIC_TRAP_BAR) || mediation.isTrapInfoOfOthers(layer);
                interests.tryOut(layer, offered, shows ? mediation.defaults().trapInfo() : Optional.empty());
                interests.claims(offered);
                offered.bind();
                if (carries) {
                    carry(made);
                } else {
                    takeWhatFits();
                }
                stay = made;
            } finally {
                to.leave(offered);
            }
        }

        /// Has it what the old one kept, if it knows that; else it begins anew.
        private void takeWhatFits() {
            try {
                if (kept.isPresent() && !binding.takeOver(kept.get())) {
                    tellDropped("it takes nothing over");
                }
            } catch (VfioException e) {
                tellDropped(e.getMessage());
            }
        }

        private void tellDropped(String why) {
            LOG.log(System.Logger.Level.INFO, "{0}: mediator {1} begins without what {2} kept: {3}", device.address(), to,
                kept.orElseThrow().mediator(), why);
        }

        private void carry(Stay made) throws VfioException {
            if (kept.isPresent() && !binding.takeOver(kept.get()) && !binding.isStateless()) {
                throw new VfioException(Errno.EOPNOTSUPP, "expected=a mediation that takes over what the one before it kept");
            }
            if (saved.isPresent() && made.state().isEmpty() && !made.binding().isStateless()) {
                throw new VfioException(Errno.EOPNOTSUPP, "expected=a mediation that can be moved, or says that it is stateless");
            }
            if (saved.isPresent() && made.state().isPresent()) {
                touched = true;
                load(made.state().get(), saved.get());
                made.state().get().goOn();
            } else if (saved.isPresent()) {
                before.orElseThrow().state().orElseThrow().goOn();
            }
        }

        /// It is not taken, and is closed; if it hangs it is given up.
        void undo(boolean ended) {
            Binding made = binding;
            if (made != null) {
                made.beginEnd();
            }
            if (!ended) {
                to.giveUp(offered);
            } else if (made != null) {
                VendorCall call = VendorCall.start("vfio-close-" + device.address(), made.mediation()::close);
                // Not for all of what is left: the old one is to go on.
                if (!call.await(pause.quarterAndHalf(2))) {
                    to.abandoned(new Abandoned(device.address(), call.thread(), call::lasts));
                    call.thread().interrupt();
                }
            }
            layer.discard(offered);
        }
    }
}
