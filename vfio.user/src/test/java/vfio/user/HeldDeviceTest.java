// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.RemoteMemory;
import vfio.pci.api.function.Doorbell;

/// Requests to a device that is held wait, in order, and keep no thread of the loop.
class HeldDeviceTest {
    private static final long IOVA = 0x10000;
    private static final int REPLY = 1;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private static byte[] write(int id, long offset, int value) {
        return RawClient.message(id, RawClient.REGION_WRITE, 0, Bytes.of().u64(offset).u32(2, 4, value).array()).array();
    }

    @Test
    void requestsWaitInOrderAndAreAnsweredOnce() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            device.hold();
            for (int i = 1; i <= 100; i++) {
                client.send(write(i, 4L * i, i));
            }
            ServerFixture.await("the device is asked for", () -> device.refusals.get() > 0);
            assertThat(client.peek()).isEqualTo(RawClient.EAGAIN);
            assertThat(device.memory(2).get(ValueLayout.JAVA_INT, 4)).isZero();
            device.release();
            for (int i = 1; i <= 100; i++) {
                RawClient.Answer answer = client.receive();
                assertThat(answer.id()).isEqualTo(i);
                assertThat(answer.errno()).isZero();
                assertThat(device.memory(2).get(ValueLayout.JAVA_INT, 4L * i)).isEqualTo(i);
            }
            assertThat(device.entries).hasValue(0);
        }
    }

    @Test
    void anotherDeviceIsServedMeanwhileByTheSameThread() throws VfioException, InterruptedException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient held = fixture.ready(); RawClient other = RawClient.ready(second)) {
            TestDevice device = fixture.pci.next();
            device.hold();
            held.send(write(1, 4, 1));
            ServerFixture.await("the device is asked for", () -> device.refusals.get() > 0);
            for (int i = 0; i < 1000; i++) {
                assertThat(other.call(RawClient.REGION_READ, RawClient.access(0, 2, 4)).errno()).isZero();
            }
            assertThat(held.peek()).isEqualTo(RawClient.EAGAIN);
            device.release();
            assertThat(held.receive().errno()).isZero();
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void aReplyToTheDeviceIsTakenMeanwhile() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, IOVA, 0x100000)).errno()).isZero();
            RemoteMemory memory = ((DmaBacking.Remote) device.mappings.get(IOVA).backing()).memory();
            device.hold();
            client.send(write(7, 4, 1));
            ServerFixture.await("the device is asked for", () -> device.refusals.get() > 0);
            MemorySegment buffer = MemorySegment.ofArray(new byte[8]);
            CompletableFuture<Void> read = CompletableFuture.runAsync(() -> {
                try {
                    memory.read(IOVA, buffer, 0, 8);
                } catch (VfioException e) {
                    throw new IllegalStateException(e);
                }
            });
            RawClient.Answer request = client.receive();
            client.send(write(8, 8, 2));
            Bytes payload = Bytes.of().u64(request.fields().getLong(0), request.fields().getLong(8)).u64(42);
            client.send(RawClient.message(request.id(), request.command(), REPLY, payload.array()).array());
            read.get(20, TimeUnit.SECONDS);
            assertThat(buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, 0)).isEqualTo(42);
            device.release();
            assertThat(client.receive().id()).isEqualTo(7);
            assertThat(client.receive().id()).isEqualTo(8);
        }
    }

    @Test
    void descriptorsStayWithTheirMessage() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("guest", 0x100000, false)) {
            TestDevice device = fixture.pci.next();
            device.hold();
            client.send(RawClient.message(1, RawClient.DMA_MAP, 0, Bytes.of().u32(32, 3).u64(0, IOVA, 0x100000).array()).array(), file);
            client.send(write(2, 4, 1));
            ServerFixture.await("the device is asked for", () -> device.refusals.get() > 0);
            device.release();
            assertThat(client.receive().errno()).isZero();
            assertThat(client.receive().errno()).isZero();
            assertThat(device.mappings.get(IOVA).backing()).isInstanceOf(DmaBacking.File.class);
        }
    }

    @Test
    void aDoorbellRingsWhenTheDeviceIsReleased() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            device.doorbells.add(new Doorbell(2, 0x100, 4, OptionalLong.of(0x19)));
            List<Fd> fds = client.call(RawClient.GET_REGION_IO_FDS, Bytes.of().u32(4096, 0, 2, 0)).fds();
            try (EventFd event = EventFd.over(fds.getFirst())) {
                device.hold();
                event.signal();
                ServerFixture.await("the device is asked for", () -> device.refusals.get() > 0);
                assertThat(device.memory(2).get(ValueLayout.JAVA_INT, 0x100)).isZero();
                device.release();
                ServerFixture.await("it rings", () -> device.memory(2).get(ValueLayout.JAVA_INT, 0x100) == 0x19);
            }
        }
    }

    @Test
    void aClientMayLeaveMeanwhile() throws VfioException, InterruptedException {
        TestDevice device;
        try (RawClient client = fixture.ready()) {
            device = fixture.pci.next();
            device.hold();
            client.send(write(1, 4, 1));
            ServerFixture.await("the device is asked for", () -> device.refusals.get() > 0);
        }
        device.release();
        ServerFixture.await("it is closed", () -> device.closed);
    }
}
