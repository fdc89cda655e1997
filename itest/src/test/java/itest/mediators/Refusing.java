// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/** Mediates nothing. */
public final class Refusing extends Mediator {
    public Refusing(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.empty();
    }
}
