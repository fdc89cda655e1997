// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import javax.inject.Inject;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.Before;
import org.junit.Rule;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** What tests in process have in common: the core, the simulated NIC, and mediators that each test installs. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public abstract class OnTheNic {
    @Inject
    BundleContext context;
    @Inject
    VfioPci vfio;
    @Inject
    DeviceAdmin admin;
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

    /** The first virtual function, opened by a client that can do nothing special. */
    VfioDevice open() throws VfioException {
        return open(SimulatedNic.VF0);
    }

    /** That function, the same way. */
    VfioDevice open(PciAddress address) throws VfioException {
        return vfio.open(address, Client.standard("itest"));
    }

    /** Requires that error of a call. */
    static void assertRefused(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
    }
}
