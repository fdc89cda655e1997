// SPDX-License-Identifier: Apache-2.0
package vfio.user.trace;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import linux.sys.Fd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.user.wire.trace.TraceRecord;
import vfio.user.wire.trace.TraceRecord.Descriptor;

/// Messages on their way from a connection to who watches it: a queue without locks, bounded in bytes. What finds no room is dropped, and a
/// record tells how much.
final class Watch implements AutoCloseable {
    /// Bytes of messages that wait, at most.
    static final long CAPACITY = 8L << 20;
    /// What a record costs beside its message, about.
    private static final int OVERHEAD = 128;

    private final Tap tap;
    private final Instant start = Instant.now();
    private final long startNanos = System.nanoTime();
    private final ConcurrentLinkedQueue<TraceRecord> queue = new ConcurrentLinkedQueue<>();
    private final AtomicLong waiting = new AtomicLong();
    /// Guarded by this object's lock.
    private long dropped;
    private volatile Thread reader;
    private volatile boolean closed;

    Watch(Tap tap) {
        this.tap = tap;
    }

    Instant start() {
        return start;
    }

    /// Any thread: a client has a second socket, and requests that are stuck.
    synchronized void add(TraceRecord.Kind kind, MemorySegment buffer, long at, int size, List<? extends OwnedFd> fds) {
        long cost = size + (long) OVERHEAD;
        if (waiting.get() + cost > CAPACITY) {
            dropped++;
            return;
        }
        long nanos = System.nanoTime() - startNanos;
        if (dropped > 0) {
            byte[] count = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(dropped).array();
            put(new TraceRecord(nanos, TraceRecord.Kind.DROPPED, List.of(), count));
            dropped = 0;
        }
        List<Descriptor> descriptors = new ArrayList<>(fds.size());
        for (OwnedFd fd : fds) {
            descriptors.add(describe(fd));
        }
        byte[] bytes = new byte[size];
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, at, bytes, 0, size);
        put(new TraceRecord(nanos, kind, descriptors, bytes));
        LockSupport.unpark(reader);
    }

    private void put(TraceRecord record) {
        waiting.addAndGet(record.bytes().length + (long) OVERHEAD);
        queue.add(record);
    }

    private static Descriptor describe(OwnedFd fd) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number())).toString();
            if (target.equals("anon_inode:[eventfd]")) {
                return new Descriptor(Descriptor.Type.EVENTFD, 0);
            }
            return target.startsWith("/") ? new Descriptor(Descriptor.Type.FILE, Fd.size(fd))
                : new Descriptor(Descriptor.Type.UNKNOWN, 0);
        } catch (IOException | VfioException e) {
            return new Descriptor(Descriptor.Type.UNKNOWN, 0);
        }
    }

    /// The next message, waiting no longer than that for it. For one thread.
    Optional<TraceRecord> next(long nanos) {
        reader = Thread.currentThread();
        TraceRecord record = queue.poll();
        if (record == null && !closed) {
            LockSupport.parkNanos(this, nanos);
            record = queue.poll();
        }
        if (record != null) {
            waiting.addAndGet(-record.bytes().length - (long) OVERHEAD);
        }
        return Optional.ofNullable(record);
    }

    /// Whether nothing more will come.
    boolean isOver() {
        return closed && queue.isEmpty();
    }

    /// Ends watching. Any thread.
    @Override
    public void close() {
        tap.end(this);
        closed = true;
        LockSupport.unpark(reader);
    }
}
