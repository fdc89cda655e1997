// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.iavf.DriverOptions;
import itest.iavf.IavfDriver;
import itest.iavf.MacAddress;
import itest.iavf.NumberedFrames;
import itest.iavf.VfStats;
import java.time.Duration;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.Test;

/** What the host does to a virtual function, by the shell, as its driver sees it. */
public class IavfHostIT extends OnServedVfs {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long SOME = 1000;
    private static final int FLAPS = Boolean.getBoolean("vfio.nightly") ? 50 : 5;
    private static final MacAddress GIVEN = new MacAddress(0x0200_0000_0077L);

    @Inject
    private CommandProcessor processor;

    @Test
    public void linkGoesDownAndUpUnderTraffic() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            try (var traffic = new LossyTraffic(one.driver(), other.driver())) {
                for (int flap = 0; flap < FLAPS; flap++) {
                    traffic.awaitArrivals(SOME);
                    sim("link", "down");
                    one.driver().awaitLink(false, SOON);
                    sim("link", "up");
                    one.driver().awaitLink(true, SOON);
                }
                traffic.awaitArrivals(SOME);
            }
            assertThat(one.driver().resetSeen()).as("a link is no reason for a reset").isFalse();
            new Traffic(one.driver(), other.driver()).bothWays(SOME);
        }
    }

    @Test
    public void nothingPassesWhileTheLinkIsDown() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            VfStats before = other.driver().stats();
            sim("link", "down");
            var ring = one.driver().pair(0).tx();
            var frames = new NumberedFrames(one.driver().mac(), other.driver().mac());
            ring.add(frames.write(ring.memory(), ring.buffer(), 0));
            ring.kick();
            Await.until("the frame is reported as done all the same", () -> {
                ring.clean();
                return ring.pending() == 0;
            });
            sim("link", "up");
            one.driver().awaitLink(SOON);
            var traffic = new Traffic(one.driver(), other.driver());
            traffic.oneWay(SOME);
            assertThat(other.driver().stats().minus(before).rxUnicast()).as("frames that arrived").isEqualTo(SOME);
        }
    }

    @Test
    public void getsTheAddressThatTheHostGives() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            IavfDriver driver = one.driver();
            MacAddress before = driver.mac();
            for (MacAddress address : new MacAddress[] {GIVEN, before}) {
                sim("mac", address.toString());
                Await.until("the driver is told of a reset, and reset", () -> {
                    if (!driver.resetSeen()) {
                        driver.poll();
                    }
                    return driver.resetSeen();
                });
                driver.recover();
                driver.awaitLink(SOON);
                assertThat(driver.mac()).isEqualTo(address);
                new Traffic(driver, other.driver()).bothWays(SOME);
            }
        }
    }

    private void sim(String command, String argument) throws Exception {
        new Gogo(processor).run("sim:%s %s %s".formatted(command, SimulatedNic.VF0, argument));
    }
}
