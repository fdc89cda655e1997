// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.Mediator;

/// An open device gets mediators that came later, or others, in a pause of it. Of the one before it in its layer each gets what that kept
/// by itself, if it knows it.
final class Rebinding {
    private final OpenDevice device;
    private final Pause pause;
    private final DeviceMediation mediation;
    private final Withheld withheld;

    Rebinding(OpenDevice device, Pause pause) {
        this.device = device;
        this.pause = pause;
        this.mediation = device.mediation();
        this.withheld = new Withheld(device);
    }

    /// Binds each layer, the lowest first, to the first of these that accepts and may have it. A layer that none accepts stays as it is.
    ///
    /// @throws VfioException EPERM when none is bound to one of them, with why: the device is as it was, unless one that has a layer hung
    ///     while it was asked for what it keeps, and was given up
    Exchange rebind(List<Mediator> mediators) throws VfioException {
        List<String> refusals = new ArrayList<>();
        boolean bound = false;
        for (Layer layer : mediation.layers().bottomFirst()) {
            bound |= rebind(layer, mediation.candidates(layer, mediators), refusals);
        }
        mediation.tellOfAbsent();
        if (!bound) {
            throw new VfioException(Errno.EPERM, "device=%s expected=a mediator that accepts it; %s".formatted(device.address(),
                refusals.isEmpty() ? "there is none for " + places() : String.join("; ", refusals)));
        }
        return new Exchange(device.address(), mediation.mediatorName(), Optional.empty(), pause.lasted(), withheld.since());
    }

    private String places() {
        return String.join(" ", mediation.layers().topFirst().stream().map(Layer::place).toList());
    }

    private boolean rebind(Layer layer, List<Mediator> mediators, List<String> refusals) {
        MediatorExchange exchange = new MediatorExchange(device, pause, layer);
        boolean asked = false;
        for (Mediator mediator : mediators) {
            if (layer.isOf(mediator)) {
                return true;
            }
            if (!asked) {
                try {
                    exchange.saveKept();
                } catch (VfioException e) {
                    refusals.add(layer.place() + ": " + e.getMessage());
                    return false;
                }
                asked = true;
            }
            Optional<String> failure = exchange.takeOver(mediator, false, () -> { });
            if (failure.isEmpty()) {
                return true;
            }
            refusals.add(mediator + ": " + failure.get());
        }
        return false;
    }
}
