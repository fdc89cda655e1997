// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.HandedOver;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.VendorCall;

/// A device whose mediator went and whose accesses wait for another one, for a bounded time.
final class Frozen {
    private static final System.Logger LOG = System.getLogger(Frozen.class.getName());

    private final OpenDevice device;
    private final Layer layer;
    private final Hold hold;
    private final long begin = System.nanoTime();
    /// What the mediation that went kept by itself, until there is a successor or accesses go on.
    private final AtomicReference<Optional<HandedOver>> kept;

    private Frozen(OpenDevice device, Layer layer, Hold hold, Optional<HandedOver> kept) {
        this.device = device;
        this.layer = layer;
        this.hold = hold;
        this.kept = new AtomicReference<>(kept);
        hold.whenOver(() -> takeKept().ifPresent(dropped -> tellDropped(dropped, "nobody came")));
    }

    /// Begins, unless accesses cannot be had to wait; then the device passes through. Those under way are still the mediator's, which is
    /// there until this returns; one that is stuck in it is not waited for any longer.
    ///
    /// @param layer whose mediator went
    /// @param bound longest time that accesses wait
    /// @param deadlineNanos until when those under way are waited for, and what the mediator keeps; at least an eighth of the drain timeout
    static Optional<Frozen> begin(OpenDevice device, Layer layer, Duration bound, long deadlineNanos) {
        try {
            Hold hold = Hold.beginNow(device, "its mediator has gone, and it waits for another", bound);
            boolean outside = hold.awaitOutside(device, leastUntil(device, deadlineNanos)).isEmpty();
            long saved = System.nanoTime() + bound.toNanos() / 2;
            return Optional.of(new Frozen(device, layer, hold, outside
                ? save(device, layer, Math.min(saved, leastUntil(device, deadlineNanos))) : Optional.empty()));
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: not frozen: {1}", device.address(), e.getMessage());
            return Optional.empty();
        }
    }

    /// The deadline, or a little later than now: an access that is stuck in another device may have used up the time that they share.
    private static long leastUntil(OpenDevice device, long deadlineNanos) {
        long now = System.nanoTime();
        return now + Math.max(deadlineNanos - now, device.settings().drainTimeout().toNanos() / 8);
    }

    /// What the mediation that is still there keeps by itself. One that hangs is found in it by who ends it.
    private static Optional<HandedOver> save(OpenDevice device, Layer layer, long deadlineNanos) {
        Optional<Stay> going = layer.stay();
        if (going.isEmpty()) {
            return Optional.empty();
        }
        AtomicReference<Optional<HandedOver>> given = new AtomicReference<>(Optional.empty());
        VendorCall call = VendorCall.start("vfio-save-" + device.address(), () -> given.set(going.get().binding().handOver()));
        boolean ended = call.await(deadlineNanos);
        if (!ended || call.failure().isPresent()) {
            LOG.log(System.Logger.Level.WARNING, "{0}: mediator {1} hands nothing over: {2}", device.address(), going.get().mediator(),
                ended ? call.failure().get() : "it hangs");
            return Optional.empty();
        }
        return given.get();
    }

    private Optional<HandedOver> takeKept() {
        return kept.getAndSet(Optional.empty());
    }

    private void tellDropped(HandedOver dropped, String why) {
        LOG.log(System.Logger.Level.WARNING, "{0}: what {1} kept is dropped: {2}", device.address(), dropped.mediator(), why);
    }

    /// Has the successor take over what the one before it kept, before accesses enter it: they may go on meanwhile, past it. One that
    /// does not begins anew; one that hangs is given up.
    private void handOver(Stay successor) {
        Optional<HandedOver> given = takeKept();
        if (given.isEmpty()) {
            return;
        }
        VendorCall call = VendorCall.start("vfio-takeover-" + device.address(), () -> {
            if (!successor.binding().takeOver(given.get())) {
                throw new VfioException(Errno.EOPNOTSUPP, "%s takes nothing over".formatted(successor.mediator()));
            }
        });
        if (!call.await(System.nanoTime() + device.settings().drainTimeout().toNanos())) {
            tellDropped(given.get(), successor.mediator() + " hangs");
            layer.end(successor.binding(), "it hung while it took over");
        } else {
            call.failure().ifPresent(why -> tellDropped(given.get(), why));
        }
    }

    /// Whether accesses wait still.
    boolean lasts() {
        return !hold.isOver();
    }

    /// Offers the device to these, as somebody asks for.
    ///
    /// @throws VfioException EPERM when none accepts; accesses wait on
    Exchange rebind(List<Mediator> mediators) throws VfioException {
        if (mediators.stream().noneMatch(this::offer)) {
            throw new VfioException(Errno.EPERM, "device=%s expected=a mediator that accepts it, of %s".formatted(device.address(),
                mediators));
        }
        return new Exchange(device.address(), device.mediatorName(), Optional.empty(), Duration.ofNanos(System.nanoTime() - begin),
            List.of());
    }

    /// Offers the device to a mediator that came.
    ///
    /// @return whether that has it; accesses go on then
    boolean offer(Mediator mediator) {
        if (hold.isOver() || !device.takeTurn()) {
            return false;
        }
        try {
            if (layer.stay().isEmpty() && !device.hasGone()) {
                layer.ask(device.mediation().candidates(layer, List.of(mediator)), this::handOver);
            }
        } finally {
            device.turn().unlock();
        }
        if (!layer.isOf(mediator)) {
            return false;
        }
        hold.release();
        return true;
    }
}
