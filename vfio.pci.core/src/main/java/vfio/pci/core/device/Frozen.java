// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.Mediator;

/// A device whose mediator went and whose accesses wait for another one, for a bounded time.
final class Frozen {
    private static final System.Logger LOG = System.getLogger(Frozen.class.getName());

    private final OpenDevice device;
    private final Layer layer;
    private final Hold hold;
    private final long begin = System.nanoTime();

    private Frozen(OpenDevice device, Layer layer, Hold hold) {
        this.device = device;
        this.layer = layer;
        this.hold = hold;
    }

    /// Begins, unless accesses cannot be had to wait; then the device passes through. Those under way are still the mediator's, which is
    /// there until this returns; one that is stuck in it is not waited for any longer.
    ///
    /// @param layer whose mediator went
    /// @param bound longest time that accesses wait
    /// @param deadlineNanos until when those under way are waited for
    static Optional<Frozen> begin(OpenDevice device, Layer layer, Duration bound, long deadlineNanos) {
        try {
            Hold hold = Hold.beginNow(device, "its mediator has gone, and it waits for another", bound);
            hold.awaitOutside(device, deadlineNanos);
            return Optional.of(new Frozen(device, layer, hold));
        } catch (VfioException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: not frozen: {1}", device.address(), e.getMessage());
            return Optional.empty();
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
                layer.ask(device.mediation().candidates(layer, List.of(mediator)));
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
