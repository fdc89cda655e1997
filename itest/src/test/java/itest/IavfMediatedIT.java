// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.iavf.Doorbells;
import itest.iavf.DriverOptions;
import itest.iavf.IavfDriver;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.MediatorStatus;

/** The driver notices nothing of mediator.i40e: neither of its presence nor of its going and coming under traffic. */
public class IavfMediatedIT extends OnServedVfs {
    private static final long FRAMES = Boolean.getBoolean("vfio.nightly") ? 1_000_000 : 50_000;
    private static final long FEWER = FRAMES / 5;
    private static final Duration SOON = Duration.ofSeconds(30);

    @Inject
    private BundleContext context;

    @Override
    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), mediatorI40e(), vfioUser()};
    }

    @Before
    public void awaitMediator() throws Exception {
        Await.until("mediator.i40e drives the PF",
            () -> admin.mediators().stream().map(MediatorStatus::name).toList().equals(List.of("i40e")));
    }

    @Test
    public void linkAndTraffic() throws Exception {
        exchange(DriverOptions.DEFAULT);
    }

    @Test
    public void linkAndTrafficByMessagesAlone() throws Exception {
        exchange(DriverOptions.DEFAULT.with(Doorbells.POSTED));
    }

    private void exchange(DriverOptions options) throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), options);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), options)) {
            isMediated(SimulatedNic.VF0, SimulatedNic.VF1);
            Traffic.Result result = new Traffic(one.driver(), other.driver()).oneWay(FRAMES);
            System.out.printf("iavf guest, mediated, %s: %.0f frames a second%n", options.doorbells(), result.framesPerSecond());
        }
    }

    @Test
    public void recoversFromResets() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            for (IavfDriver driver : List.of(one.driver(), other.driver())) {
                driver.reset();
                driver.recover();
                driver.awaitLink(SOON);
                new Traffic(one.driver(), other.driver()).bothWays(FEWER / 2);
            }
            isMediated(SimulatedNic.VF0, SimulatedNic.VF1);
        }
    }

    @Test
    public void losesNothingWhenTheMediatorGoesAndComes() throws Exception {
        Bundle mediator = Arrays.stream(context.getBundles()).filter(one -> "mediator.i40e".equals(one.getSymbolicName())).findFirst()
            .orElseThrow();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            isMediated(SimulatedNic.VF0, SimulatedNic.VF1);
            var traffic = new Traffic(one.driver(), other.driver());
            Future<Traffic.Result> running = thread.submit(() -> traffic.bothWays(2 * FRAMES));
            Await.until("frames arrive", () -> traffic.arrived() > FEWER);
            mediator.stop();
            long without = traffic.arrived();
            assertThat(running.isDone()).as("the mediator goes in mid-traffic, after 0x%x frames", without).isFalse();
            mediator.start();
            awaitMediator();
            running.get(1, TimeUnit.MINUTES);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).as("bound at the next open only").isEmpty();
            assertThat(one.driver().resetSeen()).as("reset").isFalse();
            assertThat(other.driver().resetSeen()).as("reset").isFalse();
        } finally {
            thread.shutdownNow();
        }
    }

    private void isMediated(PciAddress... functions) throws Exception {
        for (PciAddress function : functions) {
            assertThat(admin.device(function).mediator()).as("mediator of %s", function).contains("i40e");
        }
    }
}
