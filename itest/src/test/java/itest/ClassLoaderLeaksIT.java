// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Failing;
import itest.mediators.FailingToBind;
import itest.mediators.Faulty;
import itest.mediators.Offering;
import itest.mediators.Setting;
import org.junit.Test;
import org.osgi.framework.Bundle;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;

/** Nothing holds the classes of a mediator whose bundle was uninstalled, while the devices it mediated stay open. */
public class ClassLoaderLeaksIT extends OnTheNic {
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
}
