// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.List;
import java.util.Optional;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/** Accepts, adds a region and an interrupt, and then has a bug where it is asked for its claims. */
public final class FailingToBind extends Mediator {
    public FailingToBind(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        context.addRegion(0x1000, Optional.empty(), RegionInfo.absent(0));
        context.addIrq(1, new IrqInfo.Type(0x77, 1));
        return Optional.of(new WatchedMediation(setting()) {
            @Override
            public List<Claim> claims() {
                throw new Bug("claims");
            }
        });
    }
}
