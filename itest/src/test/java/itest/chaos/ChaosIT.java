// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.InstalledMediators;
import itest.wire.Held;
import java.time.Duration;
import java.util.Map;
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

/**
 * Eight threads access each of sixteen devices and check each answer, while mediators are installed, started, stopped, updated, refreshed,
 * swapped and uninstalled: each access is answered once, in order and rightly, none comes to a mediator that has gone, and nothing is left.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ChaosIT {
    /** What takes longer hangs, however busy the machine is. */
    static final Duration PATIENCE = Duration.ofMinutes(5);

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
        return new Option[] {felix(), patience(), core()};
    }

    /** Nothing is given up because a machine is busy: what hangs is found out by the test. */
    static Option patience() {
        return configuration("vfio.pci.core", Map.of("drainTimeoutMillis", PATIENCE.toMillis(), "freezeMillis", PATIENCE.toMillis()));
    }

    @Test
    public void eachAccessIsAnsweredOnceInOrderAndRightly() throws Exception {
        run(ChaosSettings.whole());
    }

    /** What finds the late calls of {@link ChaosWithoutDrainIT} finds none here. */
    @Test
    public void noVisitorIsLeftInsideByAStop() throws Exception {
        run(ChaosSettings.brief());
    }

    private void run(ChaosSettings settings) throws Exception {
        Held before = Held.now();
        Chaos.Verdict verdict = new Chaos(settings, context, vfio, admin, mediators).run();
        System.out.println(verdict.summary());
        assertThat(verdict.faults()).as(verdict.summary()).isEmpty();
        Held.awaitNoMoreThan(before);
        Leaks.requireCollected(verdict.loaders());
    }
}
