// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import itest.SimulatedNic;
import itest.iavf.DriverOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.Whereabouts;
import vfio.pci.shell.control.ControlClient;
import vmm.Incoming;
import vmm.Step;
import vmm.Steps;
import vmm.channel.Endpoint;
import vmm.channel.Listening;
import vmm.channel.Transport;
import vmm.control.Participation;

/** {@code vfio:migrate}, typed at the runtime of a guest that takes part, and of one that does not yet. */
public class MigrateCommandIT {
    private static final List<PciAddress> FUNCTIONS = List.of(SimulatedNic.VF0, SimulatedNic.VF1);
    private static final long FRAMES = 1000;
    private static final long LONGEST_SECONDS = 60;

    @Rule
    public final TemporaryFolder folder = TemporaryFolder.builder().assureDeletion().build();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    private record Answer(int code, String printed, String errors) {
    }

    @After
    public void end() {
        threads.shutdownNow();
    }

    private static Answer type(RuntimeProcess runtime, String command) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code = ControlClient.run(List.of(runtime.control()), command, new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    @Test
    public void asksRefusesCancelsAndMoves() throws Exception {
        try (RuntimeProcess here = RuntimeProcess.start("here", folder.getRoot().toPath(), FUNCTIONS);
                RuntimeProcess there = RuntimeProcess.start("there", folder.getRoot().toPath(), FUNCTIONS)) {
            MovableGuest guest = MovableGuest.boot(here, FUNCTIONS, DriverOptions.DEFAULT);
            try (GuestTraffic traffic = new GuestTraffic(guest)) {
                traffic.awaitArrivals(FRAMES);
                refusesWhoTakesNoPart(here);
                traffic.awaitArrivals(FRAMES);
                MovableGuest.Side to = guest.prepare(there);
                try (Participant participant = new Participant(guest, FUNCTIONS);
                        Listening listening = Transport.PLAIN.listen(new Endpoint.Tcp("127.0.0.1", 0))) {
                    String move = "vfio:migrate 3b:02.1 --to " + listening.endpoint();
                    Future<MigrationOutcome> arrival = threads.submit(() -> new Incoming(to, listening, Steps.UNSEEN).run());
                    asks(here, move);
                    cancels(here, move, participant);
                    assertThat(arrival.get(LONGEST_SECONDS, TimeUnit.SECONDS).use()).isEqualTo(Whereabouts.SOURCE);
                    traffic.awaitArrivals(FRAMES);
                    arrival = threads.submit(() -> new Incoming(to, listening, Steps.UNSEEN).run());
                    staysWhereItWritesTooFast(here, move);
                    assertThat(arrival.get(LONGEST_SECONDS, TimeUnit.SECONDS).use()).isEqualTo(Whereabouts.SOURCE);
                    traffic.awaitArrivals(FRAMES);
                    arrival = threads.submit(() -> new Incoming(to, listening, Steps.UNSEEN).run());
                    Answer moved = type(here, move + " --max-downtime 1000");
                    assertThat(moved.code()).as("%s", moved).isZero();
                    assertThat(moved.printed()).contains("copy: round 1, ", " expected\n", "0000:3b:02.1 runs on the destination; ");
                    assertThat(arrival.get(LONGEST_SECONDS, TimeUnit.SECONDS).done()).isTrue();
                }
                traffic.awaitArrivals(FRAMES);
                assertThat(guest.side()).isSameAs(to);
            }
            guest.side().close();
        }
    }

    private static void refusesWhoTakesNoPart(RuntimeProcess runtime) {
        Answer answer = type(runtime, "vfio:migrate 3b:02.0 --to /nowhere");
        assertThat(answer.code()).isEqualTo(3);
        assertThat(answer.errors()).contains("EOPNOTSUPP", "takes no part in moving, nothing was changed");
        assertThat(type(runtime, "vfio:migrate 3b:02.0 --cancel").errors()).contains("takes no part in moving");
        assertThat(type(runtime, "vfio:migrate 3b:02.0").errors()).contains("expected=--to TO or --cancel");
        assertThat(type(runtime, "vfio:migrate 3b:02.0 --to /a --max-downtime 0").errors()).contains("max-downtime=0 expected=1 to ");
        assertThatExceptionOfType(VfioException.class).as("a device that this process does not have").isThrownBy(() ->
            Participation.register(runtime.migrate(), "somebody", List.of(SimulatedNic.VF2), null).close())
            .withMessageContaining("expected=process " + ProcessHandle.current().pid());
    }

    private static void asks(RuntimeProcess runtime, String move) {
        Answer answer = type(runtime, move + " --dry-run");
        assertThat(answer.code()).as("%s", answer).isZero();
        assertThat(answer.printed()).contains("0000:3b:02.1 runs on the source; ", "the destination would accept; ");
        Answer none = type(runtime, "vfio:migrate 3b:02.1 --dry-run --to /nowhere");
        assertThat(none.code()).isEqualTo(3);
        assertThat(none.errors()).contains("use=SOURCE", "ENOENT");
    }

    /** Two functions alone are thought to take longer than that. */
    private static void staysWhereItWritesTooFast(RuntimeProcess runtime, String move) {
        Answer answer = type(runtime, move + " --max-downtime 1");
        assertThat(answer.code()).isEqualTo(3);
        assertThat(answer.printed()).contains("copy: round 32, ");
        assertThat(answer.errors()).contains("use=SOURCE", "ETIMEDOUT", "rounds=32", "expected=at most 1 ms");
    }

    private void cancels(RuntimeProcess runtime, String move, Participant participant) throws Exception {
        var copying = new CountDownLatch(1);
        var cancelled = new CountDownLatch(1);
        participant.watch(step -> {
            if (step == Step.SEAL) {
                copying.countDown();
                await(cancelled);
            }
        });
        Future<Answer> moving = threads.submit(() -> type(runtime, move + " --max-downtime 1000"));
        assertThat(copying.await(LONGEST_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(type(runtime, move).errors()).as("a second one").contains("EBUSY");
        Answer cancel = type(runtime, "vfio:migrate 3b:02.0 --cancel");
        assertThat(cancel.code()).as("%s", cancel).isZero();
        cancelled.countDown();
        Answer answer = moving.get(LONGEST_SECONDS, TimeUnit.SECONDS);
        assertThat(answer.code()).isEqualTo(3);
        assertThat(answer.errors()).contains("ECANCELED", "use=SOURCE cancelled");
        participant.watch(Steps.UNSEEN);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(LONGEST_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
