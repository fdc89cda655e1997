// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;

import javax.inject.Inject;
import org.junit.Before;
import org.junit.Rule;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.ServeAdmin;

/** What tests with clients of their own have in common: virtual functions of the simulated NIC, served over sockets. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public abstract class OnServedVfs {
    @Inject
    DeviceAdmin admin;
    @Inject
    ServeAdmin transport;
    @Rule
    public final ServedVfs vfs = new ServedVfs(() -> transport);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), vfioUser()};
    }

    @Before
    public void waitForTheNic() throws Exception {
        SimulatedNic.await(admin);
    }
}
