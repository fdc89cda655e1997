// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import static org.assertj.core.api.Assertions.assertThat;

import itest.SimulatedNic;
import itest.iavf.DriverOptions;
import itest.iavf.FrameSender;
import itest.iavf.IavfDriver;
import itest.iavf.Vectors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOutcome;
import vmm.Step;

/** A machine of Java with two virtual functions under traffic goes back and forth between two runtimes, each a process. */
public class MigrationIT {
    private static final List<PciAddress> FUNCTIONS = List.of(SimulatedNic.VF0, SimulatedNic.VF1);
    private static final int MOVES = Boolean.getBoolean("vfio.nightly") ? 100 : 10;
    private static final long FRAMES_BETWEEN = 2000;
    private static final int VECTOR = 1;
    private static final Duration SOON = Duration.ofSeconds(30);
    /** What both senders may have on their way at a time. */
    private static final long MOST_IN_THE_AIR = 2L * FrameSender.WINDOW;

    @Rule
    public final TemporaryFolder folder = TemporaryFolder.builder().assureDeletion().build();

    private static void report(Move move, MigrationOutcome outcome) {
        System.out.printf("java guest, a move: %d rounds, %d pages, %d us: pause %d, stop %d, last pages %d, states %d, load %d, run %d%n",
            outcome.rounds(), outcome.pages(), outcome.downtime().toNanos() / 1000, move.micros(Step.PAUSE, Step.STOP),
            move.micros(Step.STOP, Step.LAST_PAGES), move.micros(Step.LAST_PAGES, Step.STATES), move.micros(Step.STATES, Step.SEAL),
            move.micros(Step.SEAL, Step.COMMIT), outcome.downtime().toNanos() / 1000 - move.micros(Step.PAUSE, Step.COMMIT));
    }

    @Test
    public void goesBackAndForthUnderTraffic() throws Exception {
        move(true);
    }

    /** A figure, not a test of speed: this machine may be busy with something else. */
    @Test
    public void howLongItStands() throws Exception {
        move(false);
    }

    /** The events stay the guest's; another device fires them. */
    @Test
    public void interruptsComeFromTheOtherSide() throws Exception {
        Path root = folder.getRoot().toPath();
        try (RuntimeProcess here = RuntimeProcess.start("here", root, FUNCTIONS);
                RuntimeProcess there = RuntimeProcess.start("there", root, FUNCTIONS)) {
            MovableGuest guest = MovableGuest.boot(here, FUNCTIONS, DriverOptions.DEFAULT.withInterrupts());
            fire(guest);
            new Move(guest, there, true).run(root.resolve("move"));
            fire(guest);
            guest.side().close();
        }
    }

    private static void fire(MovableGuest guest) throws VfioException {
        for (IavfDriver driver : guest.drivers()) {
            Vectors vectors = driver.vectors().orElseThrow();
            vectors.take(VECTOR);
            vectors.fire(VECTOR);
            vectors.awaitFired(VECTOR, SOON);
        }
    }

    private void move(boolean comparing) throws Exception {
        Path root = folder.getRoot().toPath();
        try (RuntimeProcess here = RuntimeProcess.start("here", root, FUNCTIONS);
                RuntimeProcess there = RuntimeProcess.start("there", root, FUNCTIONS)) {
            MovableGuest guest = MovableGuest.boot(here, FUNCTIONS, DriverOptions.DEFAULT);
            List<Long> downtimes = new ArrayList<>();
            GuestTraffic traffic = new GuestTraffic(guest);
            try (traffic) {
                traffic.awaitArrivals(FRAMES_BETWEEN);
                for (int i = 0; i < MOVES; i++) {
                    Move move = new Move(guest, i % 2 == 0 ? there : here, comparing);
                    MigrationOutcome outcome = move.run(root.resolve("move"));
                    if (!comparing) {
                        report(move, outcome);
                    }
                    downtimes.add(outcome.downtime().toNanos() / 1000);
                    traffic.awaitArrivals(FRAMES_BETWEEN);
                }
            }
            Collections.sort(downtimes);
            System.out.printf("java guest, %d moves%s: downtime p50 %d us, p99 %d us; %d frames arrived, %d were lost%n", MOVES,
                comparing ? ", memory compared meanwhile" : "", downtimes.get(MOVES / 2), downtimes.get((MOVES * 99 - 1) / 100),
                traffic.arrived(), traffic.missing());
            assertThat(traffic.missing()).as("frames lost").isBetween(0L, MOVES * MOST_IN_THE_AIR);
            guest.drivers().forEach(driver -> assertThat(driver.linkUp()).isTrue());
            guest.side().close();
        }
    }
}
