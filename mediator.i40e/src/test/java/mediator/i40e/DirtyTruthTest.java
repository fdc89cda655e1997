// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Whether a strategy misses a page. The truth is the guest's memory, compared with the copy that was built from reports alone; what the
/// device is said to have written is not asked for.
class DirtyTruthTest {
    private static final int RUNS = Integer.getInteger("vfio.truth.runs", Boolean.getBoolean("vfio.nightly") ? 10_000 : 200);
    private static final long FIRST_SEED = Long.getLong("vfio.truth.seed", 1);

    private static final int MUTANT_RUNS = 60;

    private static TrackedCard card;
    private static TruthMemory memory;
    private static TruthGuest peer;

    @BeforeAll
    static void plugIn(@TempDir Path storage) throws Exception {
        card = new TrackedCard(storage);
        memory = new TruthMemory();
        peer = new TruthGuest(card.open(2), memory, true, new SplittableRandom(0));
        peer.open(1, 32, 512 / 4);
    }

    @AfterAll
    static void plugOut() throws Exception {
        peer.close();
        memory.close();
        card.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"doorbell-trap", "device-log", "all"})
    void missesNoPage(String strategy) throws Exception {
        int runs = strategy.equals("doorbell-trap") ? RUNS : Math.ceilDiv(RUNS, 4);
        List<TruthRun.Outcome> missed = new ArrayList<>();
        int reported = 0;
        int surplus = 0;
        long begun = System.nanoTime();
        for (int i = 0; i < runs && missed.size() < 5; i++) {
            TruthRun.Outcome outcome = new TruthRun(card, peer, strategy, FIRST_SEED + i).go(UnaryOperator.identity());
            reported += outcome.reported();
            surplus += outcome.surplus();
            if (!outcome.missed().isEmpty()) {
                missed.add(outcome);
            }
        }
        String result = "dirty-tracking=%s runs=%d seconds=%.1f reported=%d surplus=%d missed=%s".formatted(strategy, runs,
            (System.nanoTime() - begun) / 1e9, reported, surplus, missed);
        System.getLogger(DirtyTruthTest.class.getName()).log(System.Logger.Level.INFO, result);
        assertThat(missed).isEmpty();
        assertThat(reported).as("pages that were copied").isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void catchesAStrategyThatForgetsAMark(DirtyMutant mutant) throws Exception {
        for (int seed = 1; seed <= MUTANT_RUNS; seed++) {
            TruthRun.Outcome outcome = new TruthRun(card, peer, mutant.strategy(), seed).go(mutant::log);
            if (!outcome.missed().isEmpty()) {
                return;
            }
        }
        fail("mutant=%s runs=%d expected=a page that is missed", mutant, MUTANT_RUNS);
    }

    /// Seeds that show why this strategy is for experiments only. The guest takes frames as it likes and gives other buffers for them, as
    /// drivers do while there is traffic. A seed says what the guest does; when threads run is not repeated by it, so that a run on a busy
    /// machine may not show it.
    @ParameterizedTest
    @ValueSource(longs = {2, 4})
    void findsPagesThatRelayedInterruptsMiss(long seed) throws Exception {
        for (int run = 0; run < MUTANT_RUNS; run++) {
            TruthRun.Outcome outcome = new TruthRun(card, peer, "interrupt-relay", seed).go(UnaryOperator.identity());
            if (outcome.missed().stream().anyMatch(page -> page * TruthMemory.PAGE >= TruthRings.BUFFERS)) {
                return;
            }
        }
        fail("seed=%d runs=%d expected=pages of received frames that are missed", seed, MUTANT_RUNS);
    }

    /// The smallest case. Frames that are taken by interrupts, one after the other, are seen; those that are taken while interrupts are
    /// off, as NAPI does it, are not.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void missesWhatIsHandedOverAndDoneBetweenTwoInterrupts(boolean byInterrupts) throws Exception {
        List<Integer> missed = new NapiRun(card, peer, "interrupt-relay").missed(byInterrupts);
        if (byInterrupts) {
            assertThat(missed).isEmpty();
        } else {
            assertThat(missed).isNotEmpty();
        }
    }

    @Test
    void doorbellsSeeWhatIsHandedOverAndDoneBetweenTwoInterrupts() throws Exception {
        assertThat(new NapiRun(card, peer, "doorbell-trap").missed(false)).isEmpty();
    }
}
