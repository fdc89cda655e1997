// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.RemoteMemory;

/// Memory that is reached by DMA_READ and DMA_WRITE.
class MessageMemoryTest {
    private static final int DMA_READ = 11;
    private static final int DMA_WRITE = 12;
    private static final int REPLY = 1;
    private static final int ERROR = 0x21;
    private static final long IOVA = 0x10000;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture(Limits.with(limits -> limits.transfer = Duration.ofSeconds(2)));

    /// What a device does on a thread of its own.
    private interface Transfer {
        void run() throws VfioException;
    }

    private static CompletableFuture<Void> onItsThread(Transfer transfer) {
        return CompletableFuture.runAsync(() -> {
            try {
                transfer.run();
            } catch (VfioException e) {
                throw new CompletionException(e);
            }
        });
    }

    private static void failsWith(CompletableFuture<Void> transfer, Errno errno) {
        assertThatThrownBy(() -> transfer.get(20, TimeUnit.SECONDS)).hasCauseInstanceOf(VfioException.class)
            .cause().satisfies(cause -> assertThat(((VfioException) cause).errno()).isEqualTo(errno));
    }

    private static RemoteMemory map(RawClient client, TestDevice device) {
        assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, IOVA, 0x100000)).errno()).isZero();
        return ((DmaBacking.Remote) device.mappings.get(IOVA).backing()).memory();
    }

    private static void reply(RawClient client, RawClient.Answer request, Consumer<Bytes> data) {
        Bytes payload = Bytes.of().u64(request.fields().getLong(0), request.fields().getLong(8));
        data.accept(payload);
        client.send(RawClient.message(request.id(), request.command(), REPLY, payload.array()).array());
    }

    @Test
    void failsWithWhatTheClientAnswers() throws Exception {
        try (RawClient client = fixture.ready()) {
            RemoteMemory memory = map(client, fixture.pci.next());
            MemorySegment buffer = MemorySegment.ofArray(new byte[8]);
            CompletableFuture<Void> refused = onItsThread(() -> memory.read(IOVA, buffer, 0, 8));
            RawClient.Answer request = client.receive();
            client.send(Bytes.of().u16(request.id(), DMA_READ).u32(16, ERROR, 14).array());
            failsWith(refused, Errno.EFAULT);
            CompletableFuture<Void> wrong = onItsThread(() -> memory.read(IOVA, buffer, 0, 8));
            reply(client, client.receive(), bytes -> bytes.u32(1));
            failsWith(wrong, Errno.EPROTO);
        }
    }

    @Test
    void failsWhenNobodyAnswersAndTakesNoLateReply() throws Exception {
        try (RawClient client = fixture.ready()) {
            RemoteMemory memory = map(client, fixture.pci.next());
            MemorySegment buffer = MemorySegment.ofArray(new byte[8]);
            CompletableFuture<Void> first = onItsThread(() -> memory.read(IOVA, buffer, 0, 8));
            RawClient.Answer request = client.receive();
            failsWith(first, Errno.ETIMEDOUT);
            CompletableFuture<Void> second = onItsThread(() -> memory.read(IOVA, buffer, 0, 8));
            RawClient.Answer again = client.receive();
            assertThat(again.id()).isNotEqualTo(request.id());
            reply(client, request, bytes -> bytes.u64(-1));
            reply(client, again, bytes -> bytes.u64(42));
            second.get(20, TimeUnit.SECONDS);
            assertThat(buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, 0)).isEqualTo(42);
        }
    }

    @Test
    void failsAtOnceWhenTheClientLeavesOrUnmaps() throws Exception {
        RawClient client = fixture.ready();
        TestDevice device = fixture.pci.next();
        RemoteMemory memory = map(client, device);
        CompletableFuture<Void> unmapped = onItsThread(() -> memory.write(IOVA, MemorySegment.ofArray(new byte[8]), 0, 8));
        client.receive();
        assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(24, 0).u64(IOVA, 0x100000)).errno()).isZero();
        failsWith(unmapped, Errno.EFAULT);
        RemoteMemory mappedAgain = map(client, device);
        CompletableFuture<Void> left = onItsThread(() -> mappedAgain.read(IOVA, MemorySegment.ofArray(new byte[8]), 0, 8));
        client.receive();
        client.close();
        failsWith(left, Errno.EFAULT);
    }

    @Test
    void isReadAndWrittenInPiecesTheClientTakes() throws Exception {
        try (RawClient client = RawClient.ready(fixture.socket, "{\"capabilities\":{\"max_data_xfer_size\":65536}}")) {
            RemoteMemory memory = map(client, fixture.pci.next());
            transfersAll(memory, client, client);
        }
    }

    /// The client plays the memory: each byte is its address's.
    private static void transfersAll(RemoteMemory memory, RawClient client, RawClient commands) throws Exception {
        byte[] data = new byte[0x28000];
        CompletableFuture<Void> read = onItsThread(() -> memory.read(IOVA, MemorySegment.ofArray(data), 0, data.length));
        for (int done = 0; done < data.length; done += 0x10000) {
            RawClient.Answer request = commands.receive();
            int count = (int) request.fields().getLong(8);
            assertThat(request.command()).isEqualTo(DMA_READ);
            assertThat(request.flags()).isZero();
            assertThat(request.fields().getLong(0)).isEqualTo(IOVA + done);
            assertThat(count).isEqualTo(Math.min(0x10000, data.length - done));
            reply(commands, request, bytes -> bytes.raw(pattern(request.fields().getLong(0), count)));
        }
        read.get(20, TimeUnit.SECONDS);
        assertThat(Arrays.equals(data, pattern(IOVA, data.length))).isTrue();
        CompletableFuture<Void> write = onItsThread(() -> memory.write(IOVA + 8, MemorySegment.ofArray(data), 0, data.length));
        for (int done = 0; done < data.length; done += 0x10000) {
            RawClient.Answer request = commands.receive();
            assertThat(request.command()).isEqualTo(DMA_WRITE);
            assertThat(request.fields().getLong(0)).isEqualTo(IOVA + 8 + done);
            byte[] sent = Arrays.copyOfRange(request.payload(), 16, request.payload().length);
            assertThat(Arrays.equals(sent, pattern(IOVA + done, sent.length))).isTrue();
            // QEMU's reply has the structure; a header alone is taken, too.
            if (done == 0) {
                reply(commands, request, _ -> { });
            } else {
                commands.send(RawClient.message(request.id(), DMA_WRITE, REPLY, new byte[0]).array());
            }
        }
        write.get(20, TimeUnit.SECONDS);
        assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
    }

    private static byte[] pattern(long from, int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) ((from + i) * 31 >>> 4);
        }
        return bytes;
    }

    @Test
    void goesOverTheTwinSocketOfAClientThatAsksForOne() throws Exception {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            RawClient.Answer version = client.call(RawClient.VERSION, Bytes.of().u16(0, 0)
                .text("{\"capabilities\":{\"max_data_xfer_size\":65536,\"twin_socket\":{\"supported\":true}}}").u8(0));
            assertThat(new String(version.payload(), 4, version.payload().length - 5, StandardCharsets.UTF_8))
                .isEqualTo("{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}");
            assertThat(version.fds()).hasSize(1);
            try (RawClient twin = RawClient.over(version.fds().getFirst())) {
                TestDevice device = fixture.pci.next();
                RemoteMemory memory = map(client, device);
                transfersAll(memory, client, twin);
                // A request is in the device meanwhile: its socket is not looked at, the other is.
                client.send(RawClient.message(1, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
                ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
                transfersNothingElse(memory, twin);
                device.blocked.release();
                assertThat(client.receive().id()).isEqualTo(1);
            }
        }
    }

    @Test
    void failsAtOnceWhenTheClientHasClosedItsTwinSocket() throws Exception {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            RawClient.Answer version = client.call(RawClient.VERSION, Bytes.of().u16(0, 0)
                .text("{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}").u8(0));
            RemoteMemory memory = map(client, fixture.pci.next());
            RawClient twin = RawClient.over(version.fds().getFirst());
            CompletableFuture<Void> inFlight = onItsThread(() -> memory.read(IOVA, MemorySegment.ofArray(new byte[8]), 0, 8));
            assertThat(twin.receive().command()).isEqualTo(DMA_READ);
            twin.close();
            failsWith(inFlight, Errno.EFAULT);
            failsWith(onItsThread(() -> memory.read(IOVA, MemorySegment.ofArray(new byte[8]), 0, 8)), Errno.EFAULT);
        }
    }

    /// The client has sent a read of a register and does nothing else until it is answered, as QEMU does; the device's thread needs memory
    /// of the client at that time.
    @Test
    void doesNotDeadlockWithAClientThatWaitsForARegister() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            RemoteMemory memory = map(client, device);
            byte[] data = new byte[16];
            client.send(RawClient.message(9, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            CompletableFuture<Void> read = onItsThread(() -> memory.read(IOVA, MemorySegment.ofArray(data), 0, data.length));
            RawClient.Answer request = client.receive();
            assertThat(request.command()).isEqualTo(DMA_READ);
            device.blocked.release();
            RawClient.Answer register = client.receive();
            assertThat(register.id()).isEqualTo(9);
            assertThat(register.errno()).isZero();
            reply(client, request, bytes -> bytes.raw(pattern(IOVA, 16)));
            read.get(20, TimeUnit.SECONDS);
            assertThat(data).isEqualTo(pattern(IOVA, 16));
        }
    }

    /// A register whose read needs memory of the client, on another thread that it waits for: works with a client that answers meanwhile.
    @Test
    void isAnsweredWhileARequestIsInTheDevice() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            RemoteMemory memory = map(client, device);
            client.send(RawClient.message(9, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            transfersNothingElse(memory, client);
            device.blocked.release();
            assertThat(client.receive().id()).isEqualTo(9);
        }
    }

    private static void transfersNothingElse(RemoteMemory memory, RawClient commands) throws Exception {
        MemorySegment buffer = MemorySegment.ofArray(new byte[8]);
        CompletableFuture<Void> read = onItsThread(() -> memory.read(IOVA, buffer, 0, 8));
        reply(commands, commands.receive(), bytes -> bytes.u64(77));
        read.get(20, TimeUnit.SECONDS);
        assertThat(buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, 0)).isEqualTo(77);
    }

    /// On the thread that serves the client it must not wait: it is refused at once.
    @Test
    void isRefusedWithinARegisterAccess() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            RemoteMemory memory = map(client, device);
            device.onAccess = () -> memory.read(IOVA, MemorySegment.ofArray(new byte[8]), 0, 8);
            RawClient.Answer answer = client.call(RawClient.REGION_READ, RawClient.access(TestDevice.CALLING, 2, 4));
            assertThat(answer.errno()).isEqualTo(Errno.EDEADLK.value());
            assertThat(ByteBuffer.wrap(answer.payload()).order(ByteOrder.nativeOrder()).remaining()).isZero();
        }
    }
}
