// SPDX-License-Identifier: Apache-2.0
package vmm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.Whereabouts;
import vmm.channel.Certificates;
import vmm.channel.Endpoint;
import vmm.channel.Listening;
import vmm.channel.Transport;

/// Both sides of a move, with memory and processors; with devices they are proven where there are some. Whatever happens, at most one of
/// the machines runs afterwards, and each side says which.
class MoveTest {
    private static final Transport PLAIN = new Transport(Optional.empty(), Duration.ofSeconds(2));
    private static final Duration USUAL = MigrationOrder.USUAL_DOWNTIME;

    @TempDir
    private Path folder;
    private MemoryMachine here;
    private MemoryMachine there;
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private Steps source = Steps.UNSEEN;
    private Steps destination = Steps.UNSEEN;
    private MigrationOutcome arrived;

    @BeforeEach
    void fill() throws VfioException {
        here = MemoryMachine.running();
        there = MemoryMachine.empty(MemoryMachine.SIZE);
        var random = new Random(5);
        for (int page = 0; page < 500; page++) {
            here.write(page * 2, random.nextLong());
        }
        // What was there before does not matter.
        there.ram().memory().asSlice(4096, 40 * 4096).fill((byte) 7);
    }

    @AfterEach
    void end() {
        thread.shutdownNow();
        here.close();
        there.close();
    }

    private MigrationOutcome move(MigrationOrder order, Transport transport, Listening listening) throws Exception {
        Future<MigrationOutcome> arrival = thread.submit(() -> new Incoming(there, listening, destination).run());
        MigrationOutcome outcome = new Outgoing(here, transport, order, source, _ -> { }).run();
        if (outcome.rounds() == 0 && !order.dryRun() && !arrival.isDone()) {
            // It may not have heard of it at all.
            listening.close();
        }
        try {
            arrived = arrival.get(20, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            assertThat(e).cause().isInstanceOf(VfioException.class).hasMessageContaining("closed");
        }
        return outcome;
    }

    private MigrationOutcome move(boolean dryRun, Duration maxDowntime) throws Exception {
        Path socket = folder.resolve("s");
        try (Listening listening = PLAIN.listen(new Endpoint.Unix(socket))) {
            return move(new MigrationOrder(socket.toString(), dryRun, maxDowntime), PLAIN, listening);
        }
    }

    private void assertMoved(MigrationOutcome outcome) {
        assertThat(outcome.done()).as("%s", outcome).isTrue();
        assertThat(outcome.use()).isEqualTo(Whereabouts.DESTINATION);
        assertThat(here.runs()).isFalse();
        assertThat(there.runs()).isTrue();
        assertThat(there.processors()).containsExactly(1, 2, 3);
        assertThat(here.ram().memory().mismatch(there.ram().memory())).isEqualTo(-1);
    }

    private void assertStayed(MigrationOutcome outcome) {
        assertThat(outcome.done()).as("%s", outcome).isFalse();
        assertThat(outcome.use()).as("%s", outcome).isEqualTo(Whereabouts.SOURCE);
        assertThat(here.runs()).isTrue();
        assertThat(there.runs()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void whereAStepFailsExactlyOneSideRuns(Step failing) throws Exception {
        Steps fail = step -> {
            if (step == failing) {
                throw new VfioException(Errno.EIO, "the test fails before " + failing);
            }
        };
        source = fail;
        destination = fail;
        MigrationOutcome outcome = move(false, USUAL);
        switch (failing) {
            // The source gave it away and did not hear of it: it does not run there, whether or not it does elsewhere.
            case AWAIT_DONE -> {
                assertThat(outcome.use()).isEqualTo(Whereabouts.UNKNOWN);
                assertThat(here.runs()).isFalse();
                assertThat(arrived.use()).isEqualTo(there.runs() ? Whereabouts.DESTINATION : Whereabouts.SOURCE);
            }
            case DONE -> {
                assertThat(outcome.use()).isEqualTo(Whereabouts.UNKNOWN);
                assertThat(arrived.use()).isEqualTo(Whereabouts.DESTINATION);
                assertThat(here.runs()).isFalse();
                assertThat(there.runs()).isTrue();
            }
            default -> assertStayed(outcome);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Step.class, mode = EnumSource.Mode.MATCH_NONE, names = {"AWAIT_DONE", "RUN", "DONE"})
    void canBeCancelledBeforeEachStep(Step at) throws Exception {
        AtomicReference<Outgoing> move = new AtomicReference<>();
        Path socket = folder.resolve("s");
        Steps cancel = step -> {
            if (step == at) {
                assertThat(move.get().cancel()).isTrue();
            }
        };
        try (Listening listening = PLAIN.listen(new Endpoint.Unix(socket))) {
            Future<MigrationOutcome> arrival = thread.submit(() -> new Incoming(there, listening, cancel).run());
            move.set(new Outgoing(here, PLAIN, new MigrationOrder(socket.toString(), false, USUAL), cancel, _ -> { }));
            assertStayed(move.get().run());
            listening.close();
            if (at != Step.CONNECT && at != Step.HELLO) {
                assertThat(arrival.get(20, TimeUnit.SECONDS).use()).isEqualTo(Whereabouts.SOURCE);
            }
        }
        assertThat(there.runs()).isFalse();
    }

    @Test
    void cannotBeCancelledOnceItIsGivenAway() throws Exception {
        AtomicReference<Outgoing> move = new AtomicReference<>();
        Path socket = folder.resolve("s");
        List<Boolean> cancelled = new ArrayList<>();
        try (Listening listening = PLAIN.listen(new Endpoint.Unix(socket))) {
            Future<MigrationOutcome> arrival = thread.submit(() -> new Incoming(there, listening, Steps.UNSEEN).run());
            move.set(new Outgoing(here, PLAIN, new MigrationOrder(socket.toString(), false, USUAL), step -> {
                if (step == Step.AWAIT_DONE) {
                    cancelled.add(move.get().cancel());
                }
            }, _ -> { }));
            assertMoved(move.get().run());
            assertThat(arrival.get(20, TimeUnit.SECONDS).use()).isEqualTo(Whereabouts.DESTINATION);
            assertThat(cancelled).containsExactly(false);
        }
    }

    @Test
    void nobodyListens() throws Exception {
        MigrationOrder order = new MigrationOrder(folder.resolve("none").toString(), false, USUAL);
        assertStayed(new Outgoing(here, PLAIN, order, Steps.UNSEEN, _ -> { }).run());
    }

    @Test
    void refusesMachineOfAnotherSize() throws Exception {
        there.close();
        there = MemoryMachine.empty(MemoryMachine.SIZE * 2);
        MigrationOutcome outcome = move(false, USUAL);
        assertStayed(outcome);
        assertThat(outcome.message()).contains("memory=[0x100000000+0x400000] expected=[0x100000000+0x800000]");
    }

    @Test
    void endsWhereItWritesFasterThanItIsCopied() throws Exception {
        source = step -> {
            if (step == Step.COPY) {
                for (int page = 0; page < 1000; page++) {
                    here.write(page, System.nanoTime());
                }
            }
        };
        MigrationOutcome outcome = move(false, Duration.ofNanos(1));
        assertStayed(outcome);
        assertThat(outcome.rounds()).isEqualTo(Outgoing.MOST_ROUNDS);
        assertThat(outcome.message()).contains("expected=at most 0 ms");
    }

    @Test
    void goesOnWithRoundsUntilTheRestIsSmallEnough() throws Exception {
        List<Step> copies = new ArrayList<>();
        source = step -> {
            if (step == Step.COPY) {
                copies.add(step);
                for (int page = 0; copies.size() < 4 && page < 1000; page++) {
                    here.write(page, System.nanoTime());
                }
            }
        };
        MigrationOutcome outcome = move(false, Duration.ofNanos(1));
        assertMoved(outcome);
        // What is written before a copy is reported after it, and sent with the next one.
        assertThat(outcome.rounds()).isEqualTo(4);
        assertThat(outcome.pages()).isEqualTo(MemoryMachine.SIZE / 4096 + 3 * 1000);
    }

    /// A byte anywhere in the stream is altered, or the stream is cut there: nothing of it is ever run.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void refusesWhatIsCutOrAltered(boolean cut) throws Exception {
        Path real = folder.resolve("real");
        Path proxied = folder.resolve("proxied");
        var random = new Random(cut ? 11 : 12);
        for (int i = 0; i < 20; i++) {
            long at = random.nextLong(i < 10 ? 2_000_000 : 200_000);
            try (Listening listening = PLAIN.listen(new Endpoint.Unix(real));
                    TamperingProxy proxy = new TamperingProxy(proxied, real, at, cut)) {
                MigrationOutcome outcome = move(new MigrationOrder(proxied.toString(), false, USUAL), PLAIN, listening);
                assertStayed(outcome);
                assertThat(arrived == null || arrived.use() == Whereabouts.SOURCE).as("at 0x%x: %s", at, arrived).isTrue();
                assertThat(proxy.tampered()).as("at 0x%x", at).isTrue();
            }
        }
    }

    @Test
    void dryRunLeavesEverythingAsItIs() throws Exception {
        Path socket = folder.resolve("s");
        try (Listening listening = PLAIN.listen(new Endpoint.Unix(socket))) {
            Future<MigrationOutcome> arrival = thread.submit(() -> new Incoming(there, listening, Steps.UNSEEN).run());
            MigrationOrder question = new MigrationOrder(socket.toString(), true, USUAL);
            MigrationOutcome dry = new Outgoing(here, PLAIN, question, Steps.UNSEEN, _ -> { }).run();
            assertThat(dry.done()).as("%s", dry).isTrue();
            assertThat(dry.use()).isEqualTo(Whereabouts.SOURCE);
            assertThat(dry.message()).startsWith("the destination would accept; ");
            assertThat(here.runs()).isTrue();
            assertThat(arrival.isDone()).isFalse();
            assertMoved(new Outgoing(here, PLAIN, new MigrationOrder(socket.toString(), false, USUAL), Steps.UNSEEN, _ -> { }).run());
            arrival.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void sendsOnlyWhatWasReportedAfterTheFirstCopy() throws Exception {
        List<Step> steps = new ArrayList<>();
        source = step -> {
            steps.add(step);
            if (step == Step.COPY && steps.stream().filter(Step.COPY::equals).count() == 1) {
                here.write(3, 1);
            }
            if (step == Step.PAUSE) {
                here.write(5, 2);
                // A write that nobody reports stays behind: nothing else is copied.
                here.ram().memory().set(ValueLayout.JAVA_LONG, 7 * 4096L, 99);
            }
        };
        MigrationOutcome outcome = move(false, USUAL);
        assertThat(outcome.use()).isEqualTo(Whereabouts.DESTINATION);
        assertThat(outcome.pages()).isEqualTo(MemoryMachine.SIZE / 4096 + 2);
        assertThat(here.ram().memory().mismatch(there.ram().memory())).isEqualTo(7 * 4096L);
        assertThat(steps).containsExactly(Step.CONNECT, Step.HELLO, Step.LOG, Step.COPY, Step.PAUSE, Step.STOP, Step.LAST_PAGES,
            Step.STATES, Step.SEAL, Step.COMMIT, Step.AWAIT_DONE);
    }

    @Test
    void movesOverTls() throws Exception {
        var certificates = new Certificates(folder);
        for (String who : new String[] {"source", "destination"}) {
            certificates.identity(who, "dns:localhost");
        }
        certificates.trust("source", "destination");
        certificates.trust("destination", "source");
        Transport to = new Transport(Optional.of(certificates.files("destination")), Duration.ofSeconds(20));
        Transport from = new Transport(Optional.of(certificates.files("source")), Duration.ofSeconds(20));
        try (Listening listening = to.listen(new Endpoint.Tcp("localhost", 0))) {
            int port = ((Endpoint.Tcp) listening.endpoint()).port();
            assertMoved(move(new MigrationOrder("tcp://localhost:" + port, false, USUAL), from, listening));
        }
    }

    @Test
    void moves() throws Exception {
        assertMoved(move(false, USUAL));
    }
}
