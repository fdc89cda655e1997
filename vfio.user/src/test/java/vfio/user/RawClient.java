// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import linux.sys.Fd;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// The other end of a connection, in raw bytes.
final class RawClient implements AutoCloseable {
    static final int VERSION = 1;
    static final int DMA_MAP = 2;
    static final int DMA_UNMAP = 3;
    static final int GET_INFO = 4;
    static final int GET_REGION_INFO = 5;
    static final int GET_REGION_IO_FDS = 6;
    static final int GET_IRQ_INFO = 7;
    static final int SET_IRQS = 8;
    static final int REGION_READ = 9;
    static final int REGION_WRITE = 10;
    static final int DEVICE_RESET = 13;
    static final int REGION_WRITE_MULTI = 15;
    static final int DEVICE_FEATURE = 16;
    static final int NO_REPLY = 0x10;
    static final int EAGAIN = -11;

    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);

    private final UnixSocket socket;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(1 << 21);
    private final ReceivedFds fds = new ReceivedFds();
    private int lastId = 0x100;

    /// An answer.
    record Answer(int id, int command, long size, int flags, int errno, byte[] payload, List<Fd> fds) {
        ByteBuffer fields() {
            return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        }
    }

    private RawClient(UnixSocket socket) {
        this.socket = socket;
    }

    static RawClient connect(Path path) throws VfioException {
        return new RawClient(UnixSocket.connect(path));
    }

    /// Over a socket that was received, which is taken.
    static RawClient over(Fd socket) {
        return new RawClient(UnixSocket.over(socket));
    }

    /// Connects and says VERSION as QEMU does.
    static RawClient ready(Path path) throws VfioException {
        return ready(path, "{\"capabilities\":{\"max_msg_fds\":16,\"write_multiple\":true}}");
    }

    static RawClient ready(Path path, String json) throws VfioException {
        RawClient client = connect(path);
        Answer answer = client.call(VERSION, Bytes.of().u16(0, 0).text(json).u8(0));
        if (answer.errno() != 0) {
            client.close();
            throw new AssertionError("VERSION errno=" + answer.errno());
        }
        return client;
    }

    static Bytes message(int id, int command, int flags, byte[] payload) {
        return Bytes.of().u16(id, command).u32(16 + payload.length, flags, 0).raw(payload);
    }

    Answer call(int command, Bytes payload, OwnedFd... descriptors) {
        int id = ++lastId & 0xFFFF;
        send(message(id, command, 0, payload.array()).array(), descriptors);
        Answer answer = receive();
        if (answer.id() != id || answer.command() != command) {
            throw new AssertionError("asked id=" + id + " command=" + command + " got " + answer);
        }
        return answer;
    }

    void post(int command, Bytes payload, OwnedFd... descriptors) {
        send(message(++lastId & 0xFFFF, command, NO_REPLY, payload.array()).array(), descriptors);
    }

    void send(byte[] bytes, OwnedFd... descriptors) {
        int[] numbers = new int[descriptors.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = descriptors[i].number();
        }
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
        int sent = 0;
        while (sent < bytes.length) {
            int count = sent == 0 && numbers.length > 0 ? socket.sendWithFds(buffer, 0, bytes.length, numbers, numbers.length, true)
                : socket.send(buffer, sent, bytes.length - sent, true);
            if (count < 0) {
                throw new AssertionError("send errno=" + -count);
            }
            sent += count;
        }
    }

    /// Sends what goes without waiting.
    ///
    /// @return bytes that went
    int trySend(byte[] bytes) {
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return Math.max(0, socket.send(buffer, 0, bytes.length, false));
    }

    /// The next answer, whole.
    Answer receive() {
        fds.clear();
        byte[] header = bytes(16);
        ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.nativeOrder());
        long size = Integer.toUnsignedLong(fields.getInt(4));
        byte[] payload = bytes((int) size - 16);
        List<Fd> came = new ArrayList<>();
        for (int i = 0; i < fds.count(); i++) {
            came.add(fds.take(i));
        }
        fds.clear();
        return new Answer(fields.getShort(0) & 0xFFFF, fields.getShort(2) & 0xFFFF, size, fields.getInt(8), fields.getInt(12), payload,
            came);
    }

    private byte[] bytes(int size) {
        int done = 0;
        while (done < size) {
            int count = await(done, size - done);
            if (count <= 0) {
                throw new AssertionError("received=" + done + " of " + size + ", then " + count);
            }
            done += count;
        }
        return buffer.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
    }

    private int await(int at, int size) {
        long deadline = System.nanoTime() + PATIENCE;
        int count;
        while ((count = socket.receive(buffer, at, size, fds, false)) == EAGAIN && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(20_000);
        }
        return count;
    }

    /// What one receive finds now: bytes, 0 at the end, or a negative errno.
    int peek() {
        return socket.receive(buffer, 0, 1 << 20, fds, false);
    }

    /// Waits for the end of file.
    ///
    /// @return whether it came, and nothing else
    boolean endsOrderly() {
        return await(0, 1) == 0;
    }

    static Bytes access(long offset, long region, long count) {
        return Bytes.of().u64(offset).u32(region, count);
    }

    @Override
    public void close() {
        socket.close();
        fds.clear();
        arena.close();
    }
}
