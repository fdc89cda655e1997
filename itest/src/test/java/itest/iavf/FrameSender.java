// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import vfio.pci.api.VfioException;

/**
 * Sends numbered frames, so many ahead of what has arrived that no ring of the receiver runs out. Stepping is for one thread; the counts
 * are for any.
 */
public final class FrameSender implements Step {
    /** Frames in flight, which half of an ordinary ring takes. */
    public static final int WINDOW = 256;

    private static final int BURST = 32;

    private final TxRing ring;
    private final NumberedFrames frames;
    private final FrameChecker checker;
    private volatile long limit;
    private volatile long sent;

    /**
     * @param checker which says what has arrived
     * @param limit frames to send
     */
    public FrameSender(TxRing ring, NumberedFrames frames, FrameChecker checker, long limit) {
        this.ring = ring;
        this.frames = frames;
        this.checker = checker;
        this.limit = limit;
    }

    @Override
    public int run() throws VfioException {
        ring.clean();
        long number = sent;
        long end = Math.min(Math.min(limit, checker.arrived() + WINDOW), number + Math.min(BURST, ring.space()));
        int added = (int) Math.max(0, end - number);
        for (; number < end; number++) {
            ring.add(frames.write(ring.memory(), ring.buffer(), number));
        }
        if (added > 0) {
            sent = number;
            ring.kick();
        }
        return added;
    }

    /** Frames given to the device. */
    public long sent() {
        return sent;
    }

    /** Sends no more than what has been sent. For the stepping thread. */
    public void stop() {
        limit = sent;
    }

    /** Sends up to that many in all. */
    public void limit(long frames) {
        limit = frames;
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
