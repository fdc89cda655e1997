// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

@Timeout(60)
class UnixSocketTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    @Test
    void rejectsAPathThatDoesNotFit() throws VfioException, InterruptedException {
        Path tooLong = pathOfLength(108);
        Descriptors.assertKept(() -> {
            VfioException failure = assertFails(Errno.EINVAL, "socket-address", () -> UnixSocket.listen(tooLong, 0600, 1));
            assertThat(failure).hasMessageContaining("length=0x6c");
            assertFails(Errno.EINVAL, "socket-address", () -> UnixSocket.connect(tooLong));
            assertFails(Errno.EINVAL, "socket-address", () -> UnixSocket.listen(Path.of(""), 0600, 1));
        });
    }

    @Test
    void takesTheLongestPathThatFits() throws VfioException {
        Path longest = pathOfLength(107);
        try (UnixSocket listener = UnixSocket.listen(longest, 0600, 1); UnixSocket client = UnixSocket.connect(longest);
                UnixSocket server = listener.accept()) {
            assertThat(client.peer()).isEqualTo(server.peer());
        }
    }

    private Path pathOfLength(int length) {
        int folderLength = folder.toString().length() + 1;
        return folder.resolve("x".repeat(length - folderLength));
    }

    @Test
    void listenReportsAPathInUseAndLeavesTheFile() throws VfioException, InterruptedException, IOException {
        Path path = folder.resolve("socket");
        try (UnixSocket first = UnixSocket.listen(path, 0600, 1)) {
            Descriptors.assertKept(() -> {
                VfioException failure = assertFails(Errno.EADDRINUSE, "bind", () -> UnixSocket.listen(path, 0600, 1));
                assertThat(failure).hasMessageContaining("path=" + path);
            });
            try (UnixSocket client = UnixSocket.connect(path); UnixSocket server = first.accept()) {
                assertThat(client.fd().number()).isNotEqualTo(server.fd().number());
            }
        }
        assertThat(path).as("a close leaves the file").exists();
        assertFails(Errno.EADDRINUSE, "bind", () -> UnixSocket.listen(path, 0600, 1));
        Path file = Files.writeString(folder.resolve("file"), "content");
        assertFails(Errno.EADDRINUSE, "bind", () -> UnixSocket.listen(file, 0600, 1));
        assertThat(file).hasContent("content");
    }

    @Test
    void listenReportsAFolderThatIsNotThere() throws VfioException, InterruptedException {
        Descriptors.assertKept(
                () -> assertFails(Errno.ENOENT, "bind", () -> UnixSocket.listen(folder.resolve("none/socket"), 0600, 1)));
    }

    @Test
    void reportsThatThereAreNoNumbersLeft() throws VfioException, InterruptedException {
        Path path = folder.resolve("socket");
        try (UnixSocket listener = UnixSocket.listen(path, 0600, 4); UnixSocket waiting = UnixSocket.connect(path)) {
            assertThat(waiting.fd().number()).isPositive();
            Descriptors.Body open = () -> {
                UnixSocket[] pair = UnixSocket.pair();
                pair[0].close();
                pair[1].close();
            };
            Descriptors.withFree(0, open, () -> {
                assertFails(Errno.EMFILE, "socket", () -> UnixSocket.connect(path));
                assertFails(Errno.EMFILE, "socket", () -> UnixSocket.listen(path, 0600, 1));
                assertFails(Errno.EMFILE, "accept4", listener::accept);
                assertFails(Errno.EMFILE, "accept4", listener::tryAccept);
            });
            int before = Proc.openDescriptors();
            Descriptors.withFree(1, open, () -> assertFails(Errno.EMFILE, "socketpair", UnixSocket::pair));
            assertThat(Proc.openDescriptors()).as("half a pair is not left").isEqualTo(before);
        }
    }

    @Test
    void fileHasExactlyTheModeWhateverTheUmask() throws VfioException, IOException {
        for (String mode : new String[] {"rw-------", "rw-rw----", "rw-rw-rw-", "rwxrwxrwx"}) {
            Path path = folder.resolve(mode);
            Set<PosixFilePermission> permissions = PosixFilePermissions.fromString(mode);
            try (UnixSocket listener = UnixSocket.listen(path, bits(permissions), 1)) {
                assertThat(listener.fd().number()).isPositive();
                assertThat(Files.getPosixFilePermissions(path)).isEqualTo(permissions);
            }
        }
    }

    /// The mode as a number: the constants stand in the order of the bits, from the highest.
    private static int bits(Set<PosixFilePermission> permissions) {
        int bits = 0;
        for (PosixFilePermission permission : permissions) {
            bits |= 0400 >> permission.ordinal();
        }
        return bits;
    }

    @Test
    void fileIsNeverMoreOpenThanAsked() throws VfioException, IOException, InterruptedException {
        Path path = folder.resolve("socket");
        Set<PosixFilePermission> asked = EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
        AtomicReference<Set<PosixFilePermission>> tooMuch = new AtomicReference<>();
        AtomicBoolean stop = new AtomicBoolean();
        Thread watcher = Thread.ofPlatform().daemon().start(() -> watch(path, asked, tooMuch, stop));
        for (int i = 0; i < 500; i++) {
            UnixSocket.listen(path, 0600, 1).close();
            Files.delete(path);
        }
        stop.set(true);
        watcher.join();
        assertThat(tooMuch).hasNullValue();
    }

    private static void watch(Path path, Set<PosixFilePermission> asked, AtomicReference<Set<PosixFilePermission>> tooMuch,
            AtomicBoolean stop) {
        while (!stop.get()) {
            try {
                Set<PosixFilePermission> seen = Files.getPosixFilePermissions(path);
                if (!asked.containsAll(seen)) {
                    tooMuch.set(seen);
                }
            } catch (NoSuchFileException between) {
                Thread.onSpinWait();
            } catch (IOException unreadable) {
                throw new AssertionError(unreadable);
            }
        }
    }

    @Test
    void connectReportsThatNobodyListens() throws VfioException, InterruptedException {
        Path path = folder.resolve("socket");
        Descriptors.assertKept(() -> assertFails(Errno.ENOENT, "connect", () -> UnixSocket.connect(path)));
        UnixSocket.listen(path, 0600, 1).close();
        Descriptors.assertKept(() -> assertFails(Errno.ECONNREFUSED, "connect", () -> UnixSocket.connect(path)));
    }

    @Test
    void tryAcceptDoesNotWait() throws VfioException, InterruptedException {
        Path path = folder.resolve("socket");
        try (UnixSocket listener = UnixSocket.listen(path, 0600, 1)) {
            Descriptors.assertKept(() -> {
                assertThat(listener.tryAccept()).isEmpty();
                try (UnixSocket client = UnixSocket.connect(path); UnixSocket server = listener.tryAccept().orElseThrow()) {
                    assertThat(client.fd().number()).isNotEqualTo(server.fd().number());
                    assertThat(listener.tryAccept()).isEmpty();
                }
            });
        }
    }

    @Test
    void acceptOfWhatDoesNotListenFails() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
            assertFails(Errno.EINVAL, "accept4", near::accept);
            assertFails(Errno.EINVAL, "accept4", far::tryAccept);
        }
    }

    @Test
    void endsAWaitThatGetsNowhere() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        MemorySegment buffer = Arena.ofAuto().allocate(0x10000);
        ReceivedFds fds = new ReceivedFds();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
            near.setTimeout(Duration.ofMillis(20));
            long from = System.nanoTime();
            assertThat(near.receive(buffer, 0, 8, fds, true)).isEqualTo(Libc.EAGAIN);
            assertThat(System.nanoTime() - from).isGreaterThanOrEqualTo(20_000_000);
            int sent = 1;
            while (sent > 0) {
                sent = near.send(buffer, 0, (int) buffer.byteSize(), true);
            }
            assertThat(sent).isEqualTo(Libc.EAGAIN);
            assertThat(far.receive(buffer, 0, 8, fds, false)).as("the other end is not concerned").isEqualTo(8);
        }
    }

    @Test
    void hasAsMuchRoomAsItIsGiven() throws VfioException {
        long small = taken(0x4000);
        assertThat(taken(0x10000)).isGreaterThan(small);
    }

    private static long taken(int room) throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        MemorySegment buffer = Arena.ofAuto().allocate(0x1000);
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]) {
            near.setSendBuffer(room);
            long taken = 0;
            int count;
            while ((count = near.send(buffer, 0, (int) buffer.byteSize(), false)) > 0) {
                taken += count;
            }
            assertThat(far.receive(buffer, 0, 1, new ReceivedFds(), false)).isEqualTo(1);
            return taken;
        }
    }

    @Test
    void acceptWaitsForAConnection() throws VfioException, InterruptedException {
        Path path = folder.resolve("socket");
        try (UnixSocket listener = UnixSocket.listen(path, 0600, 1)) {
            CountDownLatch accepted = new CountDownLatch(1);
            Thread acceptor = Thread.ofPlatform().daemon().start(() -> {
                try (UnixSocket server = listener.accept()) {
                    accepted.countDown();
                } catch (VfioException refused) {
                    throw new AssertionError(refused);
                }
            });
            UnixSocket.connect(path).close();
            assertThat(acceptor.join(PATIENCE)).isTrue();
            assertThat(accepted.getCount()).isZero();
        }
    }

    @Test
    void closeEndsAnAcceptAtAnyMoment() throws VfioException, InterruptedException {
        Path path = folder.resolve("socket");
        Descriptors.assertKept(() -> {
            for (int round = 0; round < 200; round++) {
                UnixSocket listener = UnixSocket.listen(path, 0600, 1);
                AtomicReference<VfioException> end = new AtomicReference<>();
                CountDownLatch started = new CountDownLatch(1);
                Thread acceptor = Thread.ofPlatform().daemon().start(() -> {
                    started.countDown();
                    try {
                        listener.accept().close();
                    } catch (VfioException refused) {
                        end.set(refused);
                    }
                });
                started.await();
                for (int i = 0; i < round * 20; i++) {
                    Thread.onSpinWait();
                }
                listener.close();
                assertThat(acceptor.join(PATIENCE)).isTrue();
                assertThat(end.get().errno()).isEqualTo(Errno.ECANCELED);
                assertThat(path.toFile().delete()).isTrue();
            }
        });
    }

    @Test
    void peerIsThisProcess() throws VfioException, IOException {
        Path path = folder.resolve("socket");
        try (UnixSocket listener = UnixSocket.listen(path, 0600, 1); UnixSocket client = UnixSocket.connect(path);
                UnixSocket server = listener.accept()) {
            PeerCredentials peer = server.peer();
            assertThat((long) peer.pid()).isEqualTo(ProcessHandle.current().pid());
            assertThat(peer.uid()).isEqualTo(((Integer) Files.getAttribute(path, "unix:uid")).longValue());
            assertThat(peer.gid()).isEqualTo(((Integer) Files.getAttribute(path, "unix:gid")).longValue());
            assertThat(client.peer()).isEqualTo(peer);
        }
    }

    @Test
    void everyDescriptorIsCloseOnExec() throws VfioException {
        Path path = folder.resolve("socket");
        UnixSocket[] pair = UnixSocket.pair();
        try (UnixSocket near = pair[0]; UnixSocket far = pair[1]; UnixSocket listener = UnixSocket.listen(path, 0600, 1);
                UnixSocket client = UnixSocket.connect(path); UnixSocket server = listener.accept();
                Epoll epoll = Epoll.create(); EventFd eventFd = EventFd.create(); Fd memory = Memfd.create("test", 1, true);
                Fd duplicate = memory.duplicate()) {
            int getFlags = 1;
            for (OwnedFd fd : new OwnedFd[] {near.fd(), far.fd(), listener.fd(), client.fd(), server.fd(), epoll.fd(),
                eventFd.fd(), memory, duplicate}) {
                assertThat(Fd.fcntl(fd, getFlags, 0)).as("FD_CLOEXEC").isEqualTo(1);
            }
        }
    }

    @Test
    void closedOneRefusesEverything() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        pair[1].close();
        UnixSocket socket = pair[0];
        socket.close();
        socket.close();
        int closed = -Errno.EBADF.value();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(8);
            assertThat(socket.receive(buffer, 0, 8, new ReceivedFds(), true)).isEqualTo(closed);
            assertThat(socket.send(buffer, 0, 8, true)).isEqualTo(closed);
            assertThat(socket.send2(buffer, 0, 4, buffer, 4, 4, true)).isEqualTo(closed);
            assertThat(socket.sendWithFds(buffer, 0, 8, new int[] {0}, 1, true)).isEqualTo(closed);
        }
        assertFails(Errno.ECANCELED, "accept4", socket::accept);
        assertFails(Errno.ECANCELED, "accept4", socket::tryAccept);
        assertThatIllegalStateException().isThrownBy(socket::peer);
        assertThatIllegalStateException().isThrownBy(() -> socket.fd().number());
    }
}
