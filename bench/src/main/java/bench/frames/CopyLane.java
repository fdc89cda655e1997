// SPDX-License-Identifier: Apache-2.0
package bench.frames;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A thread that copies frames into a ring of slots, and one that copies them out; or one that does both.
final class CopyLane implements Lane {
    private static final int SLOTS = 256;
    private static final int SLOT = 2048;

    private final int length;
    private final boolean alone;
    private final MemorySegment ring = Arena.ofAuto().allocate(SLOTS * SLOT, 64);
    private final MemorySegment source = Arena.ofAuto().allocate(SLOTS * SLOT, 64);
    private final MemorySegment sink = Arena.ofAuto().allocate(SLOTS * SLOT, 64);
    private volatile long tail;
    private volatile long head;
    private volatile boolean stopped;

    /// @param alone whether one thread does both
    CopyLane(int length, boolean alone) {
        this.length = length;
        this.alone = alone;
    }

    @Override
    public double run(long nanos) {
        tail = 0;
        head = 0;
        stopped = false;
        Thread sender = Thread.ofPlatform().daemon().unstarted(this::sendAll);
        if (!alone) {
            sender.start();
        }
        long start = System.nanoTime();
        long received = 0;
        while (System.nanoTime() - start < nanos) {
            if (alone) {
                send(received);
            }
            received += receive(received);
        }
        double rate = received * 1e9 / (System.nanoTime() - start);
        stopped = true;
        join(sender);
        return rate;
    }

    private void sendAll() {
        long at = 0;
        while (!stopped) {
            at += send(at);
        }
    }

    /// @return how many there was room for
    private int send(long from) {
        long limit = head + SLOTS;
        if (from == limit) {
            Thread.onSpinWait();
        }
        for (long at = from; at < limit; at++) {
            long slot = at % SLOTS * SLOT;
            source.set(ValueLayout.JAVA_LONG, slot + 16, at);
            MemorySegment.copy(source, slot, ring, slot, length);
            tail = at + 1;
        }
        return (int) (limit - from);
    }

    /// @return how many were there
    private int receive(long from) {
        long limit = tail;
        if (from == limit) {
            Thread.onSpinWait();
        }
        for (long at = from; at < limit; at++) {
            long slot = at % SLOTS * SLOT;
            MemorySegment.copy(ring, slot, sink, slot, length);
            if (sink.get(ValueLayout.JAVA_LONG, slot + 16) != at) {
                throw new AssertionError("frame " + at);
            }
            head = at + 1;
        }
        return (int) (limit - from);
    }

    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
    }
}
