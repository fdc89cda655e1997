// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.user.wire.client.VfioUserClient;
import vmm.Incoming;
import vmm.Outgoing;
import vmm.Step;
import vmm.channel.Endpoint;
import vmm.channel.Listening;
import vmm.channel.Transport;

/**
 * One move of a machine from where it is to another runtime, both of its VMMs in this process. When nothing runs on either side, memory and
 * registers of the two are compared.
 */
final class Move {
    private static final long LONGEST_SECONDS = 60;

    private final MovableGuest guest;
    private final MovableGuest.Side from;
    private final MovableGuest.Side to;
    private final List<Invariants> before = new ArrayList<>();
    private final List<MigrationProgress> progress = new ArrayList<>();
    private final Map<Step, Long> begun = new EnumMap<>(Step.class);
    private final boolean comparing;
    private boolean compared;

    /** @param comparing whether memory and registers are compared, while the machine stands */
    Move(MovableGuest guest, RuntimeProcess destination, boolean comparing) throws VfioException {
        this.guest = guest;
        this.comparing = comparing;
        from = guest.side();
        to = guest.prepare(destination);
    }

    /** Moves it, and leaves the side that it came from. */
    MigrationOutcome run(Path socket) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (Listening listening = Transport.PLAIN.listen(new Endpoint.Unix(socket))) {
            Future<MigrationOutcome> arrival = thread.submit(() -> new Incoming(to, listening, this::destination).run());
            MigrationOrder order = new MigrationOrder(socket.toString(), false, MigrationOrder.USUAL_DOWNTIME);
            MigrationOutcome outcome = new Outgoing(from, Transport.PLAIN, order, this::source, progress::add).run();
            MigrationOutcome arrived = arrival.get(LONGEST_SECONDS, TimeUnit.SECONDS);
            assertThat(outcome.done()).as("source: %s; destination: %s", outcome, arrived).isTrue();
            assertThat(arrived.done()).as("%s", arrived).isTrue();
            assertThat(compared).as("compared").isEqualTo(comparing);
            assertThat(guest.side()).isSameAs(to);
            from.close();
            return outcome;
        } finally {
            thread.shutdownNow();
        }
    }

    List<MigrationProgress> progress() {
        return progress;
    }

    /** How long the source was between two steps, the later ones of which the machine stood in. */
    long micros(Step from, Step to) {
        return (begun.get(to) - begun.get(from)) / 1000;
    }

    private void source(Step step) throws VfioException {
        begun.put(step, System.nanoTime());
        if (comparing && step == Step.SEAL) {
            for (VfioUserClient client : from.clients()) {
                before.add(Invariants.of(client));
            }
        }
    }

    private void destination(Step step) throws VfioException {
        if (comparing && step == Step.RUN) {
            compare();
        }
    }

    /** The truth is the memory of the source, where nothing runs any more; the copy was made of reports. */
    private void compare() throws VfioException {
        MemorySegment truth = from.memory().getFirst().memory();
        long difference = truth.mismatch(to.memory().getFirst().memory());
        assertThat(difference).as("first byte that differs").isEqualTo(-1);
        for (int i = 0; i < before.size(); i++) {
            Invariants after = Invariants.of(to.clients().get(i));
            assertThat(after).as("function %d", i).isEqualTo(before.get(i));
            assertThat(after.mailboxEnabled()).as("function %d, ARQLEN.ENABLE", i).isTrue();
            assertThat(after.active()).as("function %d, RSTAT", i).isTrue();
        }
        compared = true;
    }
}
