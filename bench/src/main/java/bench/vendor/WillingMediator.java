// SPDX-License-Identifier: Apache-2.0
package bench.vendor;

import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/// Accepts every device.
public final class WillingMediator implements MediateOps {
    /// For whoever asks last.
    public WillingMediator() {
    }

    @Override
    public String name() {
        return "willing";
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) {
        return Optional.of(new RegisterMediation());
    }
}
