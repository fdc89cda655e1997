// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import linux.sys.UnixSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.VersionCapabilities;

/// The client against a server that is played, where the order of messages matters; against the real one it is in `itest` and the tools.
@Timeout(60)
class VfioUserClientTest {
    private static final int DMA_READ = 11;
    private static final int DMA_WRITE = 12;
    private static final int F_ERROR = 0x21;
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
            assertThatThrownBy(() -> VfioUserClient.connect(socket(), VersionCapabilities.NONE, Duration.ofMillis(50)))
                .isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
            server.finish();
        }
    }

    @Test
    void endsAWaitForAServerThatAcceptsNobody() throws Exception {
        try (UnixSocket listener = UnixSocket.listen(socket(), 0600, 0); UnixSocket first = UnixSocket.connect(socket())) {
            assertThat(first.fd().number()).isNotNegative();
            assertThat(listener.fd().number()).isNotNegative();
            assertThatThrownBy(() -> VfioUserClient.connect(socket(), VersionCapabilities.NONE, Duration.ofMillis(50)))
                .isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        }
    }

    @Test
    void rejectsAReplyToSomethingElse() throws Exception {
        try (var server = new ScriptedServer(socket(), peer -> {
            peer.agree("{}");
            ScriptedServer.Message reset = peer.receive();
            peer.send(peer.client(), new ScriptedServer.Message(reset.id() + 1, reset.command(), 1, 0, new byte[0]));
        }); VfioUserClient client = VfioUserClient.connect(socket(), VersionCapabilities.NONE, LONG)) {
            assertThatThrownBy(client::reset).isInstanceOfSatisfying(VfioException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EPROTO));
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
                .isEqualTo(new ScriptedServer.Message(9, DMA_READ, F_ERROR, Errno.EFAULT.value(), new byte[0]));
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

    @Test
    void carriesFeaturesAndMigrationData() throws Exception {
        try (var server = new ScriptedServer(socket(), peer -> {
            peer.agree("{}");
            ScriptedServer.Message probe = peer.receive();
            assertThat(probe.bytes().getInt(4)).isEqualTo(DeviceFeatureLayout.PROBE | DeviceFeatureLayout.GET | 2);
            peer.send(peer.client(), new ScriptedServer.Message(probe.id(), probe.command(), F_ERROR, Errno.ENOTTY.value(), new byte[0]));
            ScriptedServer.Message get = peer.receive();
            peer.reply(get, ByteBuffer.allocate(16).order(ByteOrder.nativeOrder()).putInt(16).putInt(get.bytes().getInt(4))
                .putLong(0x1234).array());
            ScriptedServer.Message read = peer.receive();
            assertThat(read.bytes().getInt(4)).isEqualTo(16);
            peer.reply(read, ByteBuffer.allocate(11).order(ByteOrder.nativeOrder()).putInt(11).putInt(3).put(new byte[] {7, 8, 9}).array());
            ScriptedServer.Message write = peer.receive();
            assertThat(write.payload()).endsWith(7, 8, 9);
            peer.reply(write, new byte[0]);
        }); VfioUserClient client = VfioUserClient.connect(socket(), VersionCapabilities.NONE, LONG)) {
            assertThat(client.features().has(2, DeviceFeatureLayout.GET)).isFalse();
            byte[] got = client.features().get(1, new byte[0], 8);
            assertThat(ByteBuffer.wrap(got).order(ByteOrder.nativeOrder()).getLong()).isEqualTo(0x1234);
            MemorySegment buffer = Arena.ofAuto().allocate(16);
            assertThat(client.features().readData(buffer, 0, 16)).isEqualTo(3);
            client.features().writeData(buffer, 0, 3);
            server.finish();
        }
    }

}
