// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/** Has a bug in its open. */
public final class Failing extends Mediator {
    public Failing(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        throw new Bug("open");
    }
}
