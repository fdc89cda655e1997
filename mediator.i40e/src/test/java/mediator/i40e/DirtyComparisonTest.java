// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;

/// The strategies side by side, on the same traffic: a guest that receives a number of frames between two reports, with another buffer for
/// each frame. Prints a row of docs/dirty-tracking.md for each. Takes part of a minute.
@EnabledIfSystemProperty(named = "vfio.measure", matches = "true")
class DirtyComparisonTest {
    private static final int RING = 128;
    private static final int FRAMES = 32;
    private static final int ROUNDS = 20;
    private static final int REPEATS = 20;
    private static final int PACE = 4_000;
    /// Pages that are few enough to stop the guest for.
    private static final int FEW = 64;
    private static final double BYTES_PER_MILLI = 10e9 / 8 / 1e3;

    private TruthGuest peer;

    @Test
    void comparesStrategies(@TempDir Path storage) throws Exception {
        System.out.println("| strategy, doorbells | pages per round | surplus | re-sent MiB | rounds to 64 pages | slowdown "
            + "| report ms | last report | downtime ms |");
        try (TrackedCard card = new TrackedCard(storage); TruthMemory memory = new TruthMemory()) {
            peer = new TruthGuest(card.open(2), memory, true, new SplittableRandom(0));
            peer.open(1, 32, RING);
            for (String strategy : List.of("device-log", "doorbell-trap", "interrupt-relay", "all")) {
                for (int function = 1; function >= 0; function--) {
                    row(card, strategy, function);
                }
            }
            peer.close();
        }
    }

    private void row(TrackedCard card, String strategy, int function) throws VfioException {
        int reported = 0;
        int surplus = 0;
        int last = 0;
        int converged = 0;
        double reportMillis = 0;
        double stopMillis = 0;
        double slowdown = 0;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            boolean mapped = function == 1;
            VfioDevice device = card.open(function, strategy, UnaryOperator.identity());
            try (TruthMemory memory = new TruthMemory();
                TruthGuest guest = new TruthGuest(device, memory, mapped, new SplittableRandom(repeat))) {
                guest.takeInterrupts();
                guest.open(0, RING, RING);
                Migration migration = device.migration().orElseThrow();
                receive(guest, PACE / 4);
                double before = millis(() -> receive(guest, PACE));
                migration.startLogging(TruthMemory.PAGE, List.of(new IovaRange(TruthMemory.IOVA, TruthMemory.SIZE)));
                memory.copyAll();
                slowdown += millis(() -> receive(guest, PACE)) / before;
                DirtyCopy copy = new DirtyCopy(memory, migration);
                copy.report();
                int warm = copy.reported();
                int warmSurplus = copy.surplus();
                int few = 0;
                for (int round = 1; round <= ROUNDS; round++) {
                    receive(guest, FRAMES);
                    int[] pages = new int[1];
                    reportMillis += millis(() -> pages[0] = copy.report());
                    few = few == 0 && pages[0] <= FEW ? round : few;
                }
                reported += copy.reported() - warm;
                surplus += copy.surplus() - warmSurplus;
                converged += few == 0 ? 10 * ROUNDS : few;
                receive(guest, FRAMES);
                stopMillis += millis(() -> migration.state(MigrationState.STOP));
                int[] pages = new int[1];
                stopMillis += millis(() -> pages[0] = copy.report());
                last += pages[0];
            }
        }
        int rounds = REPEATS * ROUNDS;
        double lastPages = (double) last / REPEATS;
        assertThat(reported).isPositive();
        System.out.printf("| `%s`, %s | %.0f | %.0f %% | %.1f | %s | %.2f | %.2f | %.0f | %.2f |%n", strategy,
            function == 1 ? "mapped" : "trapped", (double) reported / rounds, 100.0 * surplus / reported,
            reported / (double) REPEATS * TruthMemory.PAGE / (1 << 20), converged > REPEATS * ROUNDS ? "never" : converged / REPEATS,
            slowdown / REPEATS, reportMillis / rounds, lastPages, stopMillis / REPEATS + lastPages * TruthMemory.PAGE / BYTES_PER_MILLI);
    }

    private void receive(TruthGuest guest, int frames) throws VfioException {
        int sent = 0;
        int received = 0;
        while (received < frames) {
            if (sent < frames && sent - received < RING / 4 && peer.rings().unsent() < RING / 2) {
                int burst = Math.min(16, frames - sent);
                peer.transmit(burst, guest.mac());
                sent += burst;
            }
            peer.rings().clean();
            int taken = guest.rings().takeFrames();
            if (taken > 0) {
                received += taken;
                guest.postAndRing(Integer.MAX_VALUE);
                guest.enableInterrupt();
            }
        }
    }

    private interface Work {
        void run() throws VfioException;
    }

    private static double millis(Work work) throws VfioException {
        long begun = System.nanoTime();
        work.run();
        return (System.nanoTime() - begun) / 1e6;
    }
}
