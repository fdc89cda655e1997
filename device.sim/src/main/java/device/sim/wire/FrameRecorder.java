// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/// Writes frames to a pcapng file, up to a size. Whoever brings a frame leaves it in a ring and goes on; a thread of the recorder's writes.
final class FrameRecorder {
    private static final System.Logger LOG = System.getLogger(FrameRecorder.class.getName());
    private static final int RING_BYTES = 1 << 22;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final long LOOK_NANOS = 20_000_000;
    private static final int INBOUND = 1 << 17;
    private static final int TAGGED = 1 << 16;
    private static final int FACE_SHIFT = 18;

    private final Path path;
    private final long mostBytes;
    private final BitSet ports;
    private final FileChannel file;
    private final FrameRing ring = new FrameRing(RING_BYTES);
    private final LongAdder dropped = new LongAdder();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
    private final long epoch = System.currentTimeMillis() * 1_000_000 - System.nanoTime();
    private final Thread writer;
    private long frames;
    private long bytes;
    private boolean full;
    private volatile boolean stopped;

    private FrameRecorder(Path path, long mostBytes, BitSet ports, FileChannel file) {
        this.path = path;
        this.mostBytes = mostBytes;
        this.ports = (BitSet) ports.clone();
        this.file = file;
        this.writer = Thread.ofPlatform().name("frame-recorder").daemon().unstarted(this::write);
    }

    /// Makes the file, which must not be there, readable by its owner alone, and starts.
    ///
    /// @param mostBytes of the file
    /// @param ports that are recorded
    /// @param names of all ports, in order
    static FrameRecorder start(Path path, long mostBytes, BitSet ports, List<String> names) throws IOException {
        FileChannel file = FileChannel.open(path, Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        FrameRecorder recorder = new FrameRecorder(path, mostBytes, ports, file);
        PcapngBlocks.sectionHeader(recorder.buffer);
        names.forEach(name -> PcapngBlocks.interfaceDescription(recorder.buffer, name));
        recorder.writer.start();
        return recorder;
    }

    /// Whether it records nothing but these ports.
    boolean isWithin(BitSet which) {
        BitSet others = (BitSet) ports.clone();
        others.andNot(which);
        return others.isEmpty();
    }

    /// Records a frame of a port, if that is one of them. May be called by any thread; does not wait for the file.
    void record(int port, boolean inbound, MemorySegment memory, long frame, int length, int tag) {
        if (stopped || !ports.get(port)) {
            return;
        }
        int note = port << FACE_SHIFT | (inbound ? INBOUND : 0) | (tag == Ethernet.UNTAGGED ? 0 : TAGGED | tag & 0xFFFF);
        if (!ring.offer(memory, frame, length, note, epoch + System.nanoTime())) {
            dropped.increment();
        }
    }

    private void write() {
        try (file) {
            while (!stopped) {
                drain();
                flush();
                LockSupport.parkNanos(this, LOOK_NANOS);
            }
            drain();
            flush();
        } catch (IOException e) {
            stopped = true;
            LOG.log(System.Logger.Level.WARNING, "path={0} recording ended: {1}", path, e.getMessage());
        }
    }

    private void drain() throws IOException {
        for (long record = ring.first(); record != FrameRing.NONE; record = ring.first()) {
            take(record);
            ring.release(record);
        }
    }

    private void take(long record) throws IOException {
        int note = ring.tag(record);
        long frame = ring.frame(record);
        int length = ring.length(record);
        if ((note & TAGGED) != 0) {
            Ethernet.putTagIn(ring.memory(), frame, note & 0xFFFF);
            frame -= Ethernet.TAG;
            length += Ethernet.TAG;
        }
        if (bytes + buffer.position() + length + PcapngBlocks.PACKET_OVERHEAD > mostBytes) {
            full = true;
            dropped.increment();
            return;
        }
        if (buffer.remaining() < length + PcapngBlocks.PACKET_OVERHEAD) {
            flush();
        }
        PcapngBlocks.packet(buffer, note >>> FACE_SHIFT, ring.note(record), (note & INBOUND) != 0, ring.memory(), frame, length);
        frames++;
    }

    private void flush() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            bytes += file.write(buffer);
        }
        buffer.clear();
    }

    /// Ends it; waits until all is written.
    Recording stop() throws InterruptedException {
        stopped = true;
        LockSupport.unpark(writer);
        writer.join();
        return new Recording(path, frames, dropped.sum(), bytes, full);
    }
}
