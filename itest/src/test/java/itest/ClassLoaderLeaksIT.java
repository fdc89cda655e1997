// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Failing;
import itest.mediators.FailingToBind;
import itest.mediators.Faulty;
import itest.mediators.Offering;
import itest.mediators.Setting;
import javax.inject.Inject;
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
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** Nothing holds the classes of a mediator whose bundle was uninstalled, while the devices it mediated stay open. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ClassLoaderLeaksIT {
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
    public void seesClassesThatAreHeld() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Answering.class));
        Class<?> held = bundle.loadClass(Answering.class.getName());
        var classes = new BundleClasses(bundle);
        mediators.uninstall(bundle);
        assertThat(classes.areHeld()).isTrue();
        assertThat(held.getClassLoader()).isNotNull();
    }

    @Test
    public void nothingIsLeftOfOneThatFailedInOpen() throws Exception {
        Bundle failing = mediators.start(MediatorBundle.of(Failing.class));
        Bundle failingToBind = mediators.start(MediatorBundle.of(FailingToBind.class));
        try (VfioDevice device = open()) {
            assertThat(mediators.board().journal()).hasSize(2);
            var first = new BundleClasses(failing);
            var second = new BundleClasses(failingToBind);
            mediators.uninstall(failing);
            mediators.uninstall(failingToBind);
            failing = null;
            failingToBind = null;
            first.awaitCollected();
            second.awaitCollected();
            assertThat(device.info().regions()).isPositive();
        }
    }

    @Test
    public void nothingIsLeftOfOneWhoseMediationThrew() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Faulty.class));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThatThrownBy(() -> registers.read(Registers.VFGEN_RSTAT)).isInstanceOf(VfioException.class).hasMessageContaining("Bug");
            var classes = new BundleClasses(bundle);
            mediators.uninstall(bundle);
            bundle = null;
            classes.awaitCollected();
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        }
    }

    @Test
    public void nothingIsLeftOfOneThatAddedWhatAClientUses() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Offering.class).named("offering"));
        try (VfioDevice device = open(); var client = new OfferingClient(device)) {
            client.useEverything();
            var classes = new BundleClasses(bundle);
            mediators.uninstall(bundle);
            bundle = null;
            assertThat(mediators.number(Setting.CLOSED, "offering")).hasValue(1);
            classes.awaitCollected();
            client.useWhatIsLeft();
        }
    }

    private VfioDevice open() throws VfioException {
        return vfio.open(SimulatedNic.VF0, Client.standard("itest"));
    }
}
