// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;

/**
 * Takes numbered frames and checks each byte of them, and that none is missing, doubled or out of order; or, where frames may be lost,
 * that their numbers rise. Frames of another series are passed over. Stepping is for one thread; the counts are for any.
 */
public final class FrameChecker implements Step, RxRing.Receiver {
    private static final int BURST = 64;
    private static final int LONGEST = 0x4000;

    private final RxRing ring;
    private final NumberedFrames frames;
    private final boolean lossless;
    /** A frame that takes several buffers. */
    private final MemorySegment whole = Arena.ofAuto().allocate(LONGEST, Long.BYTES);
    private int collected;
    private volatile long arrived;
    private volatile long count;

    /** @param lossless whether none may be missing */
    public FrameChecker(RxRing ring, NumberedFrames frames, boolean lossless) {
        this.ring = ring;
        this.frames = frames;
        this.lossless = lossless;
    }

    @Override
    public int run() throws VfioException {
        return ring.poll(this, BURST);
    }

    @Override
    public void received(MemorySegment memory, long at, int bytes, boolean last, RxRing from) {
        if (last && collected == 0) {
            check(memory, at, bytes);
            return;
        }
        if (collected + bytes > whole.byteSize()) {
            throw new IavfException("frame number=0x%x length=0x%x expected=at most 0x%x", arrived, collected + bytes, whole.byteSize());
        }
        MemorySegment.copy(memory, at, whole, collected, bytes);
        collected += bytes;
        if (last) {
            int length = collected;
            collected = 0;
            check(whole, 0, length);
        }
    }

    private void check(MemorySegment memory, long at, int bytes) {
        if (!frames.mine(memory, at)) {
            return;
        }
        long number = lossless ? arrived : NumberedFrames.number(memory, at);
        if (number < arrived) {
            throw new IavfException("frame number=0x%x expected=0x%x or more", number, arrived);
        }
        frames.check(memory, at, bytes, number);
        arrived = number + 1;
        count++;
    }

    /** One more than the number of the last frame that has arrived. */
    public long arrived() {
        return arrived;
    }

    /** Frames that have arrived. */
    public long count() {
        return count;
    }

    /** Whether none may be missing. */
    boolean lossless() {
        return lossless;
    }

    @Override
    public String toString() {
        return "arrived=0x%x count=0x%x".formatted(arrived, count);
    }
}
