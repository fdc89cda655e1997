// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/** Would mediate, but has no room. */
public final class Declining extends Mediator {
    public Declining(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) throws VfioException {
        throw new VfioException(Errno.ENOSPC, "opens=256 expected=less than 256");
    }
}
