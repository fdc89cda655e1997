// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.HandedOver;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.VendorCall;

/// A device whose mediator went and whose accesses wait for another one, for a bounded time. Where mediators of several layers go, they
/// wait until each of these has one.
final class Frozen {
    private static final System.Logger LOG = System.getLogger(Frozen.class.getName());

    private final OpenDevice device;
    private final Hold hold;
    private final long begin = System.nanoTime();
    private final long end;
    private final Object lock = new Object();
    /// Guarded by the lock: the layers that wait, with what the mediation that went kept by itself, until there is a successor or accesses
    /// go on.
    private final Map<Layer, Optional<HandedOver>> waiting = new IdentityHashMap<>();
    /// Guarded by the lock: no layer waits, and none joins.
    private boolean over;

    private Frozen(OpenDevice device, Layer first, Hold hold, Duration bound) {
        this.device = device;
        this.hold = hold;
        this.end = begin + bound.toNanos();
        waiting.put(first, Optional.empty());
        hold.whenOver(this::drop);
    }

    /// Begins, unless accesses cannot be had to wait; then the device passes through. [#keep] follows.
    ///
    /// @param layer whose mediator goes
    /// @param bound longest time that accesses wait
    static Optional<Frozen> begin(OpenDevice device, Layer layer, Duration bound) {
        try {
            return Optional.of(new Frozen(device, layer, Hold.beginNow(device, "its mediator has gone, and it waits for another", bound),
                bound));
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: not frozen: {1}", device.address(), e.getMessage());
            return Optional.empty();
        }
    }

    /// The mediator of another layer goes, or of one whose successor had come: that is waited for too, no longer than for the first.
    /// [#keep] follows exactly when this is true.
    ///
    /// @return false when it is over, or another device's
    boolean join(OpenDevice other, Layer layer) {
        if (other != device) {
            return false;
        }
        synchronized (lock) {
            if (!over) {
                waiting.putIfAbsent(layer, Optional.empty());
                return true;
            }
        }
        // Who saw that it is over may not have come to this yet, and there can be another hold only after this one.
        hold.release();
        return false;
    }

    /// Has the mediator that goes give what it keeps by itself. Accesses under way are still its own, and it is there until this returns;
    /// one that is stuck in it is not waited for any longer.
    ///
    /// @param deadlineNanos until when those under way are waited for, and what the mediator keeps; at least an eighth of the drain timeout
    void keep(Layer layer, long deadlineNanos) {
        if (hold.awaitOutside(device, leastUntil(device, deadlineNanos)).isPresent()) {
            return;
        }
        long now = System.nanoTime();
        Optional<HandedOver> given = save(device, layer, Math.min(now + (end - now) / 2, leastUntil(device, deadlineNanos)));
        if (given.isPresent() && !put(layer, given)) {
            tellDropped(given.get(), "accesses went on meanwhile");
        }
    }

    private boolean put(Layer layer, Optional<HandedOver> given) {
        synchronized (lock) {
            return waiting.replace(layer, given) != null;
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

    private Optional<HandedOver> takeKept(Layer layer) {
        synchronized (lock) {
            Optional<HandedOver> kept = waiting.replace(layer, Optional.empty());
            return kept == null ? Optional.empty() : kept;
        }
    }

    /// Accesses go on, and nobody takes over any more.
    private void drop() {
        List<HandedOver> dropped;
        synchronized (lock) {
            over = true;
            dropped = waiting.values().stream().flatMap(Optional::stream).toList();
            waiting.clear();
        }
        dropped.forEach(kept -> tellDropped(kept, "nobody came"));
    }

    private void tellDropped(HandedOver dropped, String why) {
        LOG.log(System.Logger.Level.WARNING, "{0}: what {1} kept is dropped: {2}", device.address(), dropped.mediator(), why);
    }

    /// Has the successor take over what the one before it kept, before accesses enter it: they may go on meanwhile, past it. One that
    /// does not begins anew; one that hangs is given up.
    private void handOver(Layer layer, Stay successor) {
        Optional<HandedOver> given = takeKept(layer);
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
        // Each is asked: every one may have a layer of its own.
        if (mediators.stream().filter(this::offer).toList().isEmpty()) {
            throw new VfioException(Errno.EPERM, "device=%s expected=a mediator that accepts it, of %s".formatted(device.address(),
                mediators));
        }
        return new Exchange(device.address(), device.mediatorName(), Optional.empty(), Duration.ofNanos(System.nanoTime() - begin),
            List.of());
    }

    /// Offers the layers that wait to a mediator that came, the lowest first. Accesses go on when none waits any more.
    ///
    /// @return whether that has one of them
    boolean offer(Mediator mediator) {
        if (hold.isOver() || !device.takeTurn()) {
            return false;
        }
        List<Layer> offered = waiting();
        try {
            for (Layer layer : offered) {
                if (layer.stay().isEmpty() && !device.hasGone()) {
                    layer.ask(device.mediation().candidates(layer, List.of(mediator)), made -> handOver(layer, made));
                }
            }
        } finally {
            device.turn().unlock();
        }
        boolean taken = offered.stream().anyMatch(layer -> layer.isOf(mediator));
        if (settle()) {
            hold.release();
        }
        return taken;
    }

    private List<Layer> waiting() {
        synchronized (lock) {
            return device.mediation().layers().bottomFirst().stream().filter(waiting::containsKey).toList();
        }
    }

    /// Waits no more for layers that somebody has who is not about to go.
    ///
    /// @return whether none is left
    private boolean settle() {
        List<HandedOver> dropped = new ArrayList<>();
        boolean none;
        synchronized (lock) {
            List<Layer> settled = waiting.keySet().stream().filter(
                layer -> layer.stay().filter(now -> !now.mediator().gone()).isPresent()).toList();
            settled.forEach(layer -> waiting.remove(layer).ifPresent(dropped::add));
            over |= waiting.isEmpty();
            none = over;
        }
        dropped.forEach(kept -> tellDropped(kept, "another came by another way"));
        return none;
    }
}
