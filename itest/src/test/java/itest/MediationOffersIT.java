// SPDX-License-Identifier: Apache-2.0
package itest;

import itest.bundles.MediatorBundle;
import itest.mediators.Offering;
import java.util.List;
import org.junit.Test;
import org.osgi.framework.Bundle;
import vfio.pci.api.Errno;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.VfioDevice;

/** A mediation adds a region and an interrupt and calls the behaviour below it; a client sees all of it. */
public class MediationOffersIT extends OnTheNic {
    @Test
    public void refusesWhatIsOutsideOfWhatWasAdded() throws Exception {
        mediators.start(MediatorBundle.of(Offering.class));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertRefused(Errno.EINVAL, () -> registers.read(OfferingClient.REGION, Offering.SIZE));
            assertRefused(Errno.EINVAL, () -> registers.read(OfferingClient.REGION + 1, 0));
            assertRefused(Errno.EINVAL, () -> device.map(OfferingClient.REGION, 0, Offering.SIZE));
            assertRefused(Errno.EINVAL, () -> device.setIrqTriggers(OfferingClient.IRQ, 0, List.of(IrqTrigger.NONE, IrqTrigger.NONE)));
            assertRefused(Errno.EINVAL, () -> device.irqInfo(OfferingClient.IRQ + 1));
        }
    }

    @Test
    public void theAddedRegionIsEmptyAfterTheMediatorHasGone() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Offering.class));
        try (VfioDevice device = open(); var client = new OfferingClient(device); var registers = new Registers(device)) {
            client.useEverything();
            bundle.stop();
            client.useWhatIsLeft();
            assertRefused(Errno.EINVAL, () -> registers.read(OfferingClient.REGION, 0));
            assertRefused(Errno.EINVAL, () -> device.map(OfferingClient.REGION, Offering.SHARED, Offering.SIZE - Offering.SHARED));
        }
    }

    @Test
    public void aClientUsesWhatWasAdded() throws Exception {
        mediators.start(MediatorBundle.of(Offering.class));
        for (int open = 0; open < 2; open++) {
            try (VfioDevice device = open(); var client = new OfferingClient(device)) {
                client.useEverything();
            }
        }
    }
}
