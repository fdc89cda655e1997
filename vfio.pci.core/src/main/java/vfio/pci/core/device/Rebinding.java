// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.Mediator;

/// An open device gets a mediator that came later, or another one, in a pause of it. Of the one before it gets what that kept by itself, if
/// it knows it.
final class Rebinding {
    private final OpenDevice device;
    private final MediatorExchange exchange;

    Rebinding(OpenDevice device, Pause pause) {
        this.device = device;
        this.exchange = new MediatorExchange(device, pause);
    }

    /// Binds it to the first of these that accepts.
    ///
    /// @throws VfioException EPERM when none does, with why, the device being as it was; EIO and ETIMEDOUT when the one
    ///     before fails or hangs in what it is asked for
    Exchange rebind(List<Mediator> mediators) throws VfioException {
        List<String> refusals = new ArrayList<>();
        boolean asked = false;
        for (Mediator mediator : mediators) {
            if (exchange.mediator().filter(mediator::equals).isPresent()) {
                return exchange.result(Optional.empty());
            }
            if (!asked) {
                exchange.saveKept();
                asked = true;
            }
            Optional<String> failure = exchange.takeOver(mediator, false, () -> { });
            if (failure.isEmpty()) {
                return exchange.result(failure);
            }
            refusals.add(mediator + ": " + failure.get());
        }
        throw new VfioException(Errno.EPERM, "device=%s expected=a mediator that accepts it; %s".formatted(device.address(),
            refusals.isEmpty() ? "there is none" : String.join("; ", refusals)));
    }
}
