// SPDX-License-Identifier: Apache-2.0
package bench.vendor;

import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/// Accepts one device, and no second: so that several of these get one device each.
public final class RegisterMediator implements MediateOps {
    private boolean taken;

    /// For the loader.
    public RegisterMediator() {
    }

    @Override
    public String name() {
        return "bench";
    }

    @Override
    public synchronized Optional<Mediation> open(PciFunction function, MediationContext context) {
        if (taken) {
            return Optional.empty();
        }
        taken = true;
        return Optional.of(new RegisterMediation());
    }
}
