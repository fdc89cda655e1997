// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import static itest.options.RuntimeOptions.coreOf;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.jar;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import javax.inject.Inject;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.VfioPci;

/** That {@link ChaosIT} can fail: a core that does not wait for who is inside a mediation has late calls, and they are found. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ChaosWithoutDrainIT {
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
        return new Option[] {felix(), ChaosIT.patience(), coreOf(CoreWithoutDrain.write())};
    }

    @Test
    public void lateCallsAreFound() throws Exception {
        Chaos.Verdict verdict = new Chaos(ChaosSettings.brief(), context, vfio, admin, mediators).run();
        assertThat(verdict.late()).as(verdict.summary()).isPositive();
        assertThat(verdict.faults()).anySatisfy(fault -> assertThat(fault).contains("late calls"));
    }

    @Test
    public void aJarThatHasNoDrainIsToldApart() {
        assertThatThrownBy(() -> CoreWithoutDrain.write(jar("vfio.pci.api"))).isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("removed [] of");
    }
}
