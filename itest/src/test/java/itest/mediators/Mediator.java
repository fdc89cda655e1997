// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/** Notes that it is asked. */
abstract class Mediator implements MediateOps {
    private final Setting setting;

    Mediator(Setting setting) {
        this.setting = setting;
    }

    @Override
    public final String name() {
        return setting.name();
    }

    Setting setting() {
        return setting;
    }

    @Override
    public final Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException {
        setting.board().note(setting.name());
        return asked(function, context);
    }

    abstract Optional<Mediation> asked(PciFunction function, MediationContext context) throws VfioException;
}
