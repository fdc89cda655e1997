// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Offering;
import java.util.List;
import javax.inject.Inject;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** A mediation adds a region and an interrupt and calls the behaviour below it; a client sees all of it. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class MediationOffersIT {
    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic()};
    }

    @Before
    public void waitForTheNic() throws Exception {
        SimulatedNic.await(admin);
    }

    @Test
    public void refusesWhatIsOutsideOfWhatWasAdded() throws Exception {
        mediators.start(MediatorBundle.of(Offering.class));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertRefused(() -> registers.read(OfferingClient.REGION, Offering.SIZE));
            assertRefused(() -> registers.read(OfferingClient.REGION + 1, 0));
            assertRefused(() -> device.map(OfferingClient.REGION, 0, Offering.SIZE));
            assertRefused(() -> device.setIrqTriggers(OfferingClient.IRQ, 0, List.of(IrqTrigger.NONE, IrqTrigger.NONE)));
            assertRefused(() -> device.irqInfo(OfferingClient.IRQ + 1));
        }
    }

    @Test
    public void theAddedRegionIsEmptyAfterTheMediatorHasGone() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Offering.class));
        try (VfioDevice device = open(); var client = new OfferingClient(device); var registers = new Registers(device)) {
            client.useEverything();
            bundle.stop();
            client.useWhatIsLeft();
            assertRefused(() -> registers.read(OfferingClient.REGION, 0));
            assertRefused(() -> device.map(OfferingClient.REGION, Offering.SHARED, Offering.SIZE - Offering.SHARED));
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

    private static void assertRefused(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class,
            refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EINVAL));
    }

    private VfioDevice open() throws VfioException {
        return vfio.open(SimulatedNic.VF0, Client.standard("itest"));
    }
}
