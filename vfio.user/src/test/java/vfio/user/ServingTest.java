// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import linux.sys.UnixSocket;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.admin.ServedTraffic;

/// Where devices are served, and how that ends.
class ServingTest {
    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void refusesDevicesItDoesNotKnowAndThoseServedAlready() {
        Path other = fixture.folder.resolve("other.sock");
        refuses(() -> fixture.server.serve(PciAddress.parse("0000:00:1f.0"), other), Errno.ENODEV);
        refuses(() -> fixture.server.serve(TestPci.FIRST, other), Errno.EBUSY, fixture.socket.toString());
        refuses(() -> fixture.server.unserve(TestPci.SECOND), Errno.ENOENT);
        assertThat(other).doesNotExist();
    }

    @Test
    void refusesAPathThatIsTooLongHasNoFolderOrIsSomethingElse() throws IOException {
        refuses(() -> fixture.server.serve(TestPci.SECOND, fixture.folder.resolve("x".repeat(108))), Errno.EINVAL, "at most 107");
        refuses(() -> fixture.server.serve(TestPci.SECOND, fixture.folder.resolve("missing/x.sock")), Errno.ENOENT, "folder");
        Path file = Files.createFile(fixture.folder.resolve("file"));
        refuses(() -> fixture.server.serve(TestPci.SECOND, file), Errno.EADDRINUSE, "is not a socket");
        Path link = Files.createSymbolicLink(fixture.folder.resolve("link"), file);
        refuses(() -> fixture.server.serve(TestPci.SECOND, link), Errno.EADDRINUSE, "is not a socket");
        refuses(() -> fixture.server.serve(TestPci.SECOND, fixture.folder), Errno.EADDRINUSE, "is not a socket");
        assertThat(file).exists();
    }

    @Test
    void refusesASocketSomebodyListensOn() throws VfioException, IOException {
        Path taken = fixture.folder.resolve("taken.sock");
        try (UnixSocket live = UnixSocket.listen(taken, 0600, 1)) {
            refuses(() -> fixture.server.serve(TestPci.SECOND, taken), Errno.EADDRINUSE, "somebody listens there");
            // Also when its backlog is full, where a connect would wait: two places, one taken by the try above.
            try (UnixSocket second = UnixSocket.connect(taken)) {
                assertThat(second.fd().number()).isNotNegative();
                refuses(() -> fixture.server.serve(TestPci.SECOND, taken), Errno.EADDRINUSE, "is in use");
            }
            assertThat(live.fd().number()).isNotNegative();
        }
        refuses(() -> fixture.server.serve(TestPci.SECOND, fixture.socket), Errno.EADDRINUSE);
        Files.deleteIfExists(taken);
    }

    @Test
    void takesOverASocketThatNobodyListensOn() throws VfioException {
        Path stale = fixture.folder.resolve("stale.sock");
        UnixSocket.listen(stale, 0600, 1).close();
        assertThat(stale).exists();
        fixture.server.serve(TestPci.SECOND, stale);
        try (RawClient client = RawClient.ready(stale)) {
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
        fixture.server.unserve(TestPci.SECOND);
        assertThat(stale).doesNotExist();
    }

    @Test
    void letsOnlyTheOwnerConnect() throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(fixture.socket))).isEqualTo("rw-------");
    }

    @Test
    void leavesAFileAloneThatIsNotItsOwn() throws VfioException, IOException {
        Path path = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, path);
        Files.delete(path);
        Files.writeString(path, "somebody else's");
        fixture.server.unserve(TestPci.SECOND);
        assertThat(path).hasContent("somebody else's");
    }

    @Test
    void tellsWhatIsServedAndToWhom() throws VfioException {
        assertThat(fixture.server.served()).containsExactly(new ServedStatus(TestPci.FIRST, fixture.socket, Optional.empty(), 0, 0,
            ServedTraffic.ZERO));
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient client = fixture.ready()) {
            client.call(RawClient.REGION_READ, RawClient.access(0, 0, 4));
            client.call(RawClient.REGION_READ, RawClient.access(0, 77, 4));
            List<ServedStatus> served = fixture.server.served();
            assertThat(served).extracting(ServedStatus::address).containsExactly(TestPci.FIRST, TestPci.SECOND);
            assertThat(served.getFirst().client().orElseThrow()).contains("pid=" + ProcessHandle.current().pid());
            assertThat(served.getFirst().requests()).isEqualTo(3);
            assertThat(served.getFirst().errors()).isEqualTo(1);
            assertThat(served.getLast().client()).isEmpty();
        }
        ServerFixture.await("nobody is connected", () -> fixture.server.served().getFirst().client().isEmpty());
        fixture.server.unserve(TestPci.SECOND);
        assertThat(fixture.server.served()).hasSize(1);
    }

    @Test
    void letsASecondClientWaitForTheFirstToLeave() throws VfioException, InterruptedException {
        try (RawClient second = waitingBehindAFirst()) {
            assertThat(second.receive().errno()).isZero();
            assertThat(fixture.pci.next().closed).isTrue();
            assertThat(fixture.pci.next().closed).isFalse();
        }
    }

    private RawClient waitingBehindAFirst() throws VfioException {
        try (RawClient first = fixture.ready()) {
            RawClient second = RawClient.connect(fixture.socket);
            second.send(RawClient.message(1, RawClient.VERSION, 0, Bytes.of().u16(0, 0).array()).array());
            assertThat(first.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            assertThat(second.peek()).isEqualTo(RawClient.EAGAIN);
            assertThat(fixture.pci.opened).hasSize(1);
            return second;
        }
    }

    @Test
    void servesManyClientsOneAfterTheOther() throws VfioException, InterruptedException {
        for (int i = 0; i < 300; i++) {
            try (RawClient client = i % 3 == 0 ? RawClient.connect(fixture.socket) : fixture.ready()) {
                if (i % 3 == 1) {
                    client.call(RawClient.REGION_READ, RawClient.access(0, 0, 4));
                }
            }
        }
        ServerFixture.await("all devices are closed", () -> fixture.pci.opened.stream().allMatch(device -> device.closed));
        assertThat(fixture.pci.opened).hasSize(200);
        assertThat(fixture.pci.opened).noneMatch(device -> device.calls.contains("closed out of order"));
    }

    @Test
    void answersRequestsInFlightWhenServingEnds() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            client.send(RawClient.message(2, RawClient.DEVICE_RESET, 0, new byte[0]).array());
            CompletableFuture<Void> ending = CompletableFuture.runAsync(() -> unserve(TestPci.FIRST));
            ServerFixture.await("nobody can connect any more", () -> !Files.exists(fixture.socket));
            assertThat(ending).isNotDone();
            device.blocked.release();
            assertThat(client.receive().errno()).isZero();
            assertThat(client.receive().id()).isEqualTo(2);
            assertThat(client.endsOrderly()).isTrue();
            ending.get();
            assertThat(device.closed).isTrue();
        }
    }

    @Test
    void disconnectsAClientWhoseRequestNeverComesBack() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            fixture.server.unserve(TestPci.FIRST);
            assertThat(client.endsOrderly()).isTrue();
            assertThat(device.closed).as("a thread is inside").isFalse();
            device.blocked.release();
            ServerFixture.await("it is closed once the thread has left", () -> device.closed);
            assertThat(device.calls).doesNotContain("closed out of order");
        }
    }

    @Test
    void endsThoughAnOpenHangs() throws Exception {
        fixture.pci.gate = new Semaphore(0);
        try (RawClient client = RawClient.connect(fixture.socket)) {
            client.send(RawClient.message(1, RawClient.VERSION, 0, Bytes.of().u16(0, 0).array()).array());
            ServerFixture.await("it is being opened", () -> fixture.pci.gate.hasQueuedThreads());
            fixture.server.unserve(TestPci.FIRST);
            assertThat(client.endsOrderly()).isTrue();
            fixture.pci.gate.release();
            TestDevice device = fixture.pci.next();
            ServerFixture.await("the device nobody wants is closed", () -> device.closed);
        }
    }

    @Test
    void disconnectsWhenTheDeviceGoesAndServesTheNextOne() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            client.call(RawClient.DEVICE_RESET, Bytes.of());
            fixture.pci.next().goAway();
            assertThat(client.endsOrderly()).isTrue();
        }
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
    }

    @Test
    void endsAllWhenItIsDeactivated() throws VfioException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient one = fixture.ready(); RawClient two = RawClient.ready(second); RawClient silent = RawClient.connect(second)) {
            fixture.server.deactivate();
            assertThat(one.endsOrderly()).isTrue();
            assertThat(two.endsOrderly()).isTrue();
            assertThat(silent.peek()).isLessThanOrEqualTo(0);
            assertThat(ServerFixture.threads()).isEmpty();
            assertThat(second).doesNotExist();
            refuses(() -> fixture.server.serve(TestPci.FIRST, fixture.socket), Errno.ECANCELED);
        }
    }

    private void unserve(PciAddress address) {
        try {
            fixture.server.unserve(address);
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void refuses(ThrowingCallable call, Errno errno, String... words) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, e -> {
            assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno);
            for (String word : words) {
                assertThat(e.getMessage()).contains(word);
            }
        });
    }
}
