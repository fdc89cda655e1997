// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.iavf.Doorbells;
import itest.iavf.DriverOptions;
import itest.iavf.IavfDriver;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** A virtual function is reset, or its guest is gone, while frames come and go; it recovers, and nobody else is worse off. */
public class IavfResetIT extends OnServedVfs {
    private static final int ROUNDS = Boolean.getBoolean("vfio.nightly") ? 100 : 5;
    private static final long SOME = 2000;
    private static final Duration SOON = Duration.ofSeconds(30);

    @Test
    public void recoversFromAResetByMessage() throws Exception {
        recovers(DriverOptions.DEFAULT, guest -> guest.driver().reset());
    }

    @Test
    public void recoversFromAResetByMessageWithTrappedDoorbells() throws Exception {
        recovers(DriverOptions.DEFAULT.with(Doorbells.POSTED), guest -> guest.driver().reset());
    }

    @Test
    public void recoversFromAResetByItsMonitor() throws Exception {
        recovers(DriverOptions.DEFAULT, guest -> guest.client().reset());
    }

    private interface Reset {
        void of(GuestVf guest) throws VfioException;
    }

    private void recovers(DriverOptions options, Reset reset) throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), options);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), options)) {
            try (var traffic = new LossyTraffic(one.driver(), other.driver())) {
                for (int round = 0; round < ROUNDS; round++) {
                    traffic.awaitArrivals(SOME);
                    assertThat(one.driver().resetSeen()).as("before reset %d", round).isFalse();
                    reset.of(one);
                    one.driver().recover();
                    one.driver().awaitLink(SOON);
                }
                traffic.awaitArrivals(SOME);
            }
            assertThat(other.driver().resetSeen()).as("the other was reset").isFalse();
            assertThat(other.driver().linkUp()).as("the other's link").isTrue();
        }
    }

    @Test
    public void getsAsManyQueuesAsItAsksFor() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT.withQueuePairs(4));
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            one.driver().requestQueues(2);
            one.driver().recover();
            one.driver().awaitLink(SOON);
            assertThat(one.driver().resources().queuePairs()).isEqualTo(2);
            assertThat(one.driver().pairs()).hasSize(2);
            new Traffic(one.driver(), other.driver()).bothWays(SOME);
        }
    }

    @Test
    public void losesNothingAfterAReset() throws Exception {
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            for (IavfDriver driver : new IavfDriver[] {one.driver(), other.driver()}) {
                driver.reset();
                driver.recover();
                driver.awaitLink(SOON);
                new Traffic(one.driver(), other.driver()).bothWays(SOME);
            }
        }
    }

    @Test
    public void aGuestThatIsKilledLeavesTheOthersWorking() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (GuestVf bystander = GuestVf.start(vfs.socket(SimulatedNic.VF2), DriverOptions.DEFAULT);
                GuestVf otherBystander = GuestVf.start(vfs.socket(SimulatedNic.VF3), DriverOptions.DEFAULT);
                GuestVf partner = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            for (int round = 0; round < ROUNDS; round++) {
                var traffic = new Traffic(bystander.driver(), otherBystander.driver());
                Future<?> untouched = thread.submit(() -> traffic.bothWays(SOME));
                killInMidTraffic(partner);
                try (GuestVf successor = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT)) {
                    new Traffic(successor.driver(), partner.driver()).bothWays(SOME);
                }
                untouched.get(1, TimeUnit.MINUTES);
            }
            assertThat(partner.driver().resetSeen()).as("the partner was reset").isFalse();
        } finally {
            thread.shutdownNow();
        }
    }

    private void killInMidTraffic(GuestVf partner) throws Exception {
        try (GuestVf killed = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                var traffic = new LossyTraffic(killed.driver(), partner.driver())) {
            traffic.awaitArrivals(SOME);
            killed.close();
            Await.until("the device of the killed guest is closed", () -> !admin.device(SimulatedNic.VF0).open());
            assertThat(traffic.othersRun()).as("its partner sends on").isTrue();
        }
    }
}
