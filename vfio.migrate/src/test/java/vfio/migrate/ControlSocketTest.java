// SPDX-License-Identifier: Apache-2.0
package vfio.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import linux.sys.UnixSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.pci.api.admin.Whereabouts;
import vmm.channel.UnixLink;
import vmm.control.ControlMessage;
import vmm.control.Verb;

/// The runtime's end against VMMs that do as they should, and others.
class ControlSocketTest {
    private static final PciAddress DEVICE = PciAddress.parse("0000:3b:02.0");
    private static final PciAddress OTHER = PciAddress.parse("0000:3b:02.1");
    private static final MigrationOrder ORDER = new MigrationOrder("/there", false, Duration.ofMillis(50));
    private static final long LONGEST_SECONDS = 20;

    @TempDir
    private Path folder;
    private final MoverRegistry registry = new MoverRegistry();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private ControlSocket socket;

    @BeforeEach
    void listen() throws VfioException {
        socket = new ControlSocket(folder.resolve("migrate"), registry, (device, process) -> {
            if (process != ProcessHandle.current().pid() || device.equals(OTHER)) {
                throw new VfioException(Errno.EPERM, "not its own");
            }
        });
    }

    @AfterEach
    void end() {
        socket.close();
        thread.shutdownNow();
    }

    private UnixLink connect() throws VfioException {
        return UnixLink.over(UnixSocket.connect(folder.resolve("migrate")), Duration.ofSeconds(LONGEST_SECONDS));
    }

    private UnixLink registered() throws VfioException {
        UnixLink link = connect();
        register("0000:3b:02.0").send(link);
        assertThat(ControlMessage.receive(link).verb()).isEqualTo(Verb.REGISTERED);
        return link;
    }

    private static ControlMessage register(String devices) {
        return ControlMessage.of(Verb.REGISTER).with("version", 1).with("name", "a test").with("devices", devices);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense", "0000:3b:02.0,", "0000:3b:02.1", "0000:3b:02.0,0000:3b:02.1"})
    void refusesDevices(String devices) throws VfioException {
        try (UnixLink link = connect()) {
            register(devices).send(link);
            assertThat(ControlMessage.receive(link).verb()).isEqualTo(Verb.REFUSED);
            assertThat(registry.of(DEVICE)).isEmpty();
        }
    }

    @Test
    void refusesNewerVersionAndOtherFirstWords() throws VfioException {
        try (UnixLink link = connect(); UnixLink other = connect()) {
            register("0000:3b:02.0").with("version", 2).send(link);
            assertThat(ControlMessage.receive(link).text("reason")).contains("version at most 1");
            ControlMessage.of(Verb.CANCEL).with("order", 1).send(other);
            assertThat(ControlMessage.receive(other).text("reason")).contains("verb=CANCEL expected=REGISTER");
        }
    }

    @Test
    void refusesSecondOneForADevice() throws VfioException {
        try (UnixLink first = registered(); UnixLink second = connect()) {
            register("0000:3b:02.0").send(second);
            assertThat(ControlMessage.receive(second).text("reason")).contains("EBUSY");
            assertThat(first.process()).isEqualTo(ProcessHandle.current().pid());
        }
    }

    @Test
    void forgetsOneThatGoes() throws Exception {
        registered().close();
        awaitGone();
        registered().close();
    }

    private void awaitGone() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_SECONDS);
        while (registry.of(DEVICE).isPresent()) {
            assertThat(System.nanoTime()).as("forgotten in time").isLessThan(deadline);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    @Test
    void carriesOrdersProgressAndTheEnd() throws Exception {
        MigrationProgress progress = new MigrationProgress("COPY", 1, 2, 3, Duration.ofMillis(4));
        MigrationOutcome outcome = new MigrationOutcome(Whereabouts.DESTINATION, true, "", 1, 2, 3, Duration.ofMillis(4));
        List<MigrationProgress> told = new ArrayList<>();
        try (UnixLink link = registered()) {
            Mover mover = registry.of(DEVICE).orElseThrow();
            for (int i = 0; i < 2; i++) {
                Future<MigrationOutcome> move = thread.submit(() -> mover.move(ORDER, told::add));
                ControlMessage order = ControlMessage.receive(link);
                assertThat(order.order()).isEqualTo(ORDER);
                assertThatExceptionOfType(VfioException.class).isThrownBy(() -> mover.move(ORDER, told::add))
                    .matches(e -> e.errno() == Errno.EBUSY);
                mover.cancel();
                assertThat(ControlMessage.receive(link).verb()).isEqualTo(Verb.CANCEL);
                // Of an order of before: let go.
                ControlMessage.result(order.number("order") - 1, MigrationOutcome.nothing(Whereabouts.NOWHERE, "")).send(link);
                for (int j = 0; j < 500; j++) {
                    ControlMessage.progress(order.number("order"), progress).send(link);
                }
                ControlMessage.result(order.number("order"), outcome).send(link);
                assertThat(move.get(LONGEST_SECONDS, TimeUnit.SECONDS)).isEqualTo(outcome);
            }
            assertThat(told).isNotEmpty().containsOnly(progress);
            assertThatExceptionOfType(VfioException.class).isThrownBy(mover::cancel).matches(e -> e.errno() == Errno.ENOENT);
            assertThat(mover.status().progress()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tellsWhenAVmmGoesOrTalksNonsense(boolean goes) throws Exception {
        try (UnixLink link = registered()) {
            Mover mover = registry.of(DEVICE).orElseThrow();
            Future<MigrationOutcome> move = thread.submit(() -> mover.move(ORDER, _ -> { }));
            ControlMessage order = ControlMessage.receive(link);
            if (goes) {
                link.close();
            } else {
                ControlMessage.of(Verb.RESULT).with("order", order.number("order")).with("use", "ELSEWHERE").send(link);
            }
            assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> move.get(LONGEST_SECONDS, TimeUnit.SECONDS))
                .withMessageContaining("ECONNRESET");
            awaitGone();
        }
    }

    @Test
    void cancelsWhenWhoWaitsIsInterrupted() throws Exception {
        try (UnixLink link = registered()) {
            Mover mover = registry.of(DEVICE).orElseThrow();
            var ended = new CountDownLatch(1);
            List<VfioException> thrown = new ArrayList<>();
            Thread waiting = Thread.ofPlatform().start(() -> {
                try {
                    mover.move(ORDER, _ -> { });
                } catch (VfioException e) {
                    thrown.add(e);
                }
                ended.countDown();
            });
            assertThat(ControlMessage.receive(link).verb()).isEqualTo(Verb.MIGRATE);
            waiting.interrupt();
            assertThat(ControlMessage.receive(link).verb()).isEqualTo(Verb.CANCEL);
            assertThat(ended.await(LONGEST_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(thrown).singleElement().extracting(VfioException::errno).isEqualTo(Errno.ECANCELED);
        }
    }

    @Test
    void endsItsConnectionsWithItself() throws VfioException {
        try (UnixLink link = registered()) {
            socket.close();
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> ControlMessage.receive(link))
                .matches(e -> e.errno() == Errno.ECONNRESET);
        }
    }
}
