// SPDX-License-Identifier: Apache-2.0
package example.mediator;

import java.util.Optional;
import org.osgi.service.component.annotations.Component;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/// Says which devices are its own.
@Component
public final class ExampleMediator implements MediateOps {
    @Override
    public String name() {
        return "example";
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) {
        return function.id().vendorAndDevice().equals("8086:1912") ? Optional.of(new ExampleMediation()) : Optional.empty();
    }
}
