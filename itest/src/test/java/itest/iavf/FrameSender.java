// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.VfioException;

/**
 * Sends numbered frames, so many ahead of what has arrived that no ring of the receiver runs out. Where frames may be lost it gives up
 * what has not arrived for a while. Stepping is for one thread; the counts are for any.
 */
public final class FrameSender implements Step {
    /** Frames in flight, which half of an ordinary ring takes; fewer where a frame takes several buffers. */
    public static final int WINDOW = 256;

    private static final int BURST = 32;
    /** How long a frame may be on its way where frames may be lost. */
    private static final long LOST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final TxRing ring;
    private final NumberedFrames frames;
    private final FrameChecker checker;
    private final long limit;
    /** Descriptors of the longest frame. */
    private final int pieces;
    /** A frame that does not fit in a buffer is made here. */
    private final MemorySegment whole;
    private volatile long sent;
    private long seenArrived;
    private long givenUp;
    private long quietSince = System.nanoTime();

    /**
     * @param checker which says what has arrived
     * @param limit frames to send
     */
    public FrameSender(TxRing ring, NumberedFrames frames, FrameChecker checker, long limit) {
        this.ring = ring;
        this.frames = frames;
        this.checker = checker;
        this.limit = limit;
        pieces = (frames.longest() + ring.bufferSize() - 1) / ring.bufferSize();
        whole = Arena.ofAuto().allocate(frames.longest(), Long.BYTES);
    }

    @Override
    public int run() throws VfioException {
        ring.clean();
        long number = sent;
        long end = Math.min(Math.min(limit, arrived(number) + WINDOW / pieces), number + Math.min(BURST, ring.space() / pieces));
        int added = (int) Math.max(0, end - number);
        for (; number < end; number++) {
            add(number);
        }
        if (added > 0) {
            sent = number;
            ring.kick();
        }
        return added;
    }

    private void add(long number) {
        if (pieces == 1) {
            ring.add(frames.write(ring.memory(), ring.buffer(), number));
            return;
        }
        int bytes = frames.write(whole, 0, number);
        for (int done = 0; done < bytes;) {
            int part = Math.min(ring.bufferSize(), bytes - done);
            MemorySegment.copy(whole, done, ring.memory(), ring.buffer(), part);
            done += part;
            ring.add(part, done == bytes, 0);
        }
    }

    private long arrived(long number) {
        long arrived = checker.arrived();
        if (checker.lossless()) {
            return arrived;
        }
        if (arrived != seenArrived) {
            seenArrived = arrived;
            quietSince = System.nanoTime();
        } else if (System.nanoTime() - quietSince > LOST_NANOS) {
            givenUp = number;
            quietSince = System.nanoTime();
        }
        return Math.max(arrived, givenUp);
    }

    /** Frames given to the device. */
    public long sent() {
        return sent;
    }

    /** Whether all are sent, and all reported as done. For the stepping thread. */
    public boolean done() {
        return sent >= limit && ring.pending() == 0;
    }

    @Override
    public String toString() {
        return "sent=0x%x of=0x%x pending=0x%x".formatted(sent, limit, ring.pending());
    }
}
