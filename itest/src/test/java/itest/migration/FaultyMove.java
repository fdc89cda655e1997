// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.Whereabouts;
import vmm.Incoming;
import vmm.Outgoing;
import vmm.Step;
import vmm.channel.Endpoint;
import vmm.channel.Listening;
import vmm.channel.Transport;

/** A move to which something happens when a step is about to be made for the first time. */
final class FaultyMove {
    private static final Transport TRANSPORT = new Transport(Optional.empty(), Duration.ofSeconds(3));
    private static final long LONGEST_SECONDS = 30;

    private final MovableGuest.Side from;
    private final MovableGuest.Side to;
    private final Fault fault;
    private final Step at;
    private final AtomicBoolean happened = new AtomicBoolean();
    private boolean altered;
    private MigrationOutcome source;
    private Optional<MigrationOutcome> destination = Optional.empty();

    FaultyMove(MovableGuest.Side from, MovableGuest.Side to, Fault fault, Step at) {
        this.from = from;
        this.to = to;
        this.fault = fault;
        this.at = at;
    }

    /**
     * Asks both sides what came of it, and has the source take the machine back where it does not know and the destination does.
     *
     * @return whose devices are to be used, after both were asked
     */
    Whereabouts run(Path folder, Random random) throws Exception {
        Path real = folder.resolve("real");
        Path faulty = folder.resolve("faulty");
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (Listening listening = TRANSPORT.listen(new Endpoint.Unix(real)); FaultyLink link = new FaultyLink(faulty, real, random)) {
            var outgoing = new Outgoing(from, TRANSPORT, new MigrationOrder(faulty.toString(), false, MigrationOrder.USUAL_DOWNTIME),
                step -> before(step, link), _ -> { });
            Future<MigrationOutcome> arrival = threads.submit(() -> new Incoming(to, listening, step -> before(step, link)).run());
            source = threads.submit(outgoing::run).get(LONGEST_SECONDS, TimeUnit.SECONDS);
            // It may not have heard of it at all.
            listening.close();
            destination = ended(arrival);
            altered = link.altered();
            return named(outgoing);
        } finally {
            threads.shutdownNow();
        }
    }

    private static Optional<MigrationOutcome> ended(Future<MigrationOutcome> arrival) throws Exception {
        try {
            return Optional.of(arrival.get(LONGEST_SECONDS, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            assertThat(e).cause().isInstanceOfSatisfying(VfioException.class,
                cause -> assertThat(cause.errno()).isEqualTo(Errno.ECANCELED));
            return Optional.empty();
        }
    }

    private void before(Step step, FaultyLink link) {
        if (step != at || !happened.compareAndSet(false, true)) {
            return;
        }
        try {
            switch (fault) {
                case KILL_SOURCE -> from.runtime().kill();
                case KILL_DESTINATION -> to.runtime().kill();
                case CUT -> link.cut();
                case ALTER -> link.alter(!step.source() || step == Step.AWAIT_DONE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Whereabouts named(Outgoing outgoing) {
        assertThat(happened).as("%s", this).isTrue();
        // The answer may have come before.
        assertThat(altered || fault != Fault.ALTER || at == Step.AWAIT_DONE).as("altered; %s", this).isTrue();
        assertThat(source.done() || !source.message().isEmpty()).as("%s", this).isTrue();
        assertThat(destination.isEmpty() || destination.get().done() || !destination.get().message().isEmpty()).as("%s", this).isTrue();
        boolean runsThere = destination.isPresent() && destination.get().use() == Whereabouts.DESTINATION;
        if (fault == Fault.KILL_SOURCE) {
            assertThat(source.use()).as("%s", this).isNotEqualTo(Whereabouts.SOURCE);
        }
        if (fault == Fault.KILL_DESTINATION && destination.isPresent()) {
            assertThat(destination.get().use()).as("%s", this).isNotEqualTo(Whereabouts.SOURCE);
        }
        return switch (source.use()) {
            case DESTINATION -> {
                assertThat(runsThere).as("%s", this).isTrue();
                yield Whereabouts.DESTINATION;
            }
            case SOURCE, NOWHERE -> {
                assertThat(runsThere).as("%s", this).isFalse();
                yield source.use();
            }
            case UNKNOWN -> {
                assertThat(fault.mayLeaveUnknown(at)).as("%s", this).isTrue();
                yield runsThere ? Whereabouts.DESTINATION : outgoing.takeBack().use();
            }
        };
    }

    @Override
    public String toString() {
        return "%s at %s; source: %s; destination: %s".formatted(fault, at, source, destination);
    }
}
