// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.user.wire.client.ScriptedSession.throwsErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import linux.sys.UnixSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.Errno;
import vfio.user.wire.VersionCapabilities;

/// The client against a server that is played, where the order of messages matters; against the real one it is in `itest` and the tools.
@Timeout(60)
class VfioUserClientTest {
    private static final int DMA_READ = 11;
    private static final int DMA_WRITE = 12;
    private static final long IOVA = 0x4000_0000L;
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private Path socket() {
        return folder.resolve("s");
    }

    @Test
    void endsAWaitForAServerThatDoesNotAnswer() throws Exception {
        try (var server = new ScriptedServer(socket(), ScriptedServer::receive)) {
            throwsErrno(Errno.ETIMEDOUT, () -> VfioUserClient.connect(socket(), VersionCapabilities.NONE, Duration.ofMillis(50)));
            server.finish();
        }
    }

    @Test
    void endsAWaitForAServerThatAcceptsNobody() throws Exception {
        try (UnixSocket listener = UnixSocket.listen(socket(), 0600, 0); UnixSocket first = UnixSocket.connect(socket())) {
            assertThat(first.fd().number()).isNotNegative();
            assertThat(listener.fd().number()).isNotNegative();
            throwsErrno(Errno.ETIMEDOUT, () -> VfioUserClient.connect(socket(), VersionCapabilities.NONE, Duration.ofMillis(50)));
        }
    }

    @Test
    void rejectsAReplyToSomethingElse() throws Exception {
        try (var server = new ScriptedServer(socket(), peer -> {
            peer.agree("{}");
            ScriptedServer.Message reset = peer.receive();
            peer.send(peer.client(), new ScriptedServer.Message(reset.id() + 1, reset.command(), 1, 0, new byte[0]));
        }); VfioUserClient client = VfioUserClient.connect(socket(), VersionCapabilities.NONE, LONG)) {
            throwsErrno(Errno.EPROTO, client::reset);
            server.finish();
        }
    }

    @Test
    void answersTheServersCommandsWhileItWaits() throws Exception {
        try (var server = new ScriptedServer(socket(), peer -> {
            peer.agree("{}");
            peer.reply(peer.receive(), new byte[0]);
            ScriptedServer.Message reset = peer.receive();
            peer.ask(7, DMA_WRITE, ScriptedServer.access(IOVA + 0xFFE, 4, (byte) 1, (byte) 2, (byte) 3, (byte) 4));
            assertThat(peer.receive()).usingRecursiveComparison()
                .isEqualTo(new ScriptedServer.Message(7, DMA_WRITE, 1, 0, ScriptedServer.access(IOVA + 0xFFE, 4)));
            peer.ask(8, DMA_READ, ScriptedServer.access(IOVA + 0xFFF, 2));
            assertThat(peer.receive().payload()).isEqualTo(ScriptedServer.access(IOVA + 0xFFF, 2, (byte) 2, (byte) 3));
            peer.ask(9, DMA_READ, ScriptedServer.access(IOVA + 0x1FFF, 2));
            assertThat(peer.receive()).usingRecursiveComparison()
                .isEqualTo(new ScriptedServer.Message(9, DMA_READ, ScriptedServer.F_ERROR, Errno.EFAULT.value(), new byte[0]));
            peer.reply(reset, new byte[0]);
        }); VfioUserClient client = VfioUserClient.connect(socket(), VersionCapabilities.NONE, LONG)) {
            MemorySegment memory = Arena.ofAuto().allocate(0x2000);
            client.mapDma(IOVA, memory, true, true);
            client.reset();
            server.finish();
            assertThat(memory.asSlice(0xFFE, 4).toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3, 4);
        }
    }

    @Test
    void refusesWhatTheMappingDoesNotAllow() throws Exception {
        try (var server = new ScriptedServer(socket(), peer -> {
            peer.agree("{}");
            peer.reply(peer.receive(), new byte[0]);
            peer.ask(1, DMA_WRITE, ScriptedServer.access(IOVA, 1, (byte) 1));
            assertThat(peer.receive().errno()).isEqualTo(Errno.EFAULT.value());
            peer.ask(2, DMA_WRITE, ScriptedServer.access(IOVA, 2, (byte) 1));
            assertThat(peer.receive().errno()).isEqualTo(Errno.EINVAL.value());
            peer.ask(3, DMA_READ, ScriptedServer.access(IOVA, -1));
            assertThat(peer.receive().errno()).isEqualTo(Errno.EINVAL.value());
            peer.ask(4, 4, new byte[16]);
            assertThat(peer.receive().errno()).isEqualTo(Errno.ENOSYS.value());
        }); VfioUserClient client = VfioUserClient.connect(socket(), VersionCapabilities.NONE, LONG)) {
            MemorySegment memory = Arena.ofAuto().allocate(0x1000);
            client.mapDma(IOVA, memory, true, false);
            for (int i = 0; i < 4; i++) {
                assertThat(client.serveDma(LONG)).isTrue();
            }
            server.finish();
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isZero();
        }
    }

    @Test
    void answersOnTheTwinSocketWhileItDoesNothing() throws Exception {
        UnixSocket[] twin = UnixSocket.pair();
        try (UnixSocket mine = twin[0]; var server = new ScriptedServer(socket(), peer -> {
            peer.agree("{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}", twin[1].fd().number());
            twin[1].close();
            peer.reply(peer.receive(), new byte[0]);
            peer.send(twin[0], new ScriptedServer.Message(3, DMA_READ, 0, 0, ScriptedServer.access(IOVA, 2)));
            assertThat(peer.receive(twin[0]).payload()).isEqualTo(ScriptedServer.access(IOVA, 2, (byte) 5, (byte) 6));
        }); VfioUserClient client = VfioUserClient.connect(socket(), VersionCapabilities.NONE.withTwinSocket(true), LONG);
                ClientMemory memory = ClientMemory.create(0x1000)) {
            assertThat(mine.fd().number()).isNotNegative();
            assertThat(client.hasTwinSocket()).isTrue();
            memory.memory().set(ValueLayout.JAVA_BYTE, 0, (byte) 5);
            memory.memory().set(ValueLayout.JAVA_BYTE, 1, (byte) 6);
            client.mapDma(IOVA, memory, true, true);
            server.finish();
            client.close();
        }
    }
}
