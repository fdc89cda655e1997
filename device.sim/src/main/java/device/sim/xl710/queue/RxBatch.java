// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Ethernet;
import device.sim.wire.FrameRing;
import java.lang.foreign.MemorySegment;
import vfio.pci.api.dma.DmaParts;

/// Frames that were taken from the inbound ring and have their buffers, and are written there together. Where that cannot be done, what was
/// taken since is put back.
///
/// Guarded by the queues' lock.
final class RxBatch {
    /// Most frames.
    static final int FRAMES = 64;

    private final DmaParts parts = new DmaParts(FRAMES * RxQueue.MOST_BUFFERS);
    private final RxQueue[] queues = new RxQueue[FRAMES];
    private final int[] heads = new int[FRAMES];
    private final int[] staged = new int[FRAMES];
    private final int[] firstParts = new int[FRAMES + 1];
    private final long[] positions = new long[FRAMES];
    private final long[] frames = new long[FRAMES];
    private final int[] lengths = new int[FRAMES];
    private final boolean[] dropped = new boolean[FRAMES];
    private int count;

    void clear() {
        count = 0;
        parts.truncate(0);
    }

    int count() {
        return count;
    }

    /// Where the buffers of the next frame are added.
    DmaParts parts() {
        return parts;
    }

    /// Begins a frame, before its queue is asked for buffers.
    ///
    /// @param position in the inbound ring, before it was taken
    void begin(RxQueue queue, long position) {
        queues[count] = queue;
        heads[count] = queue.head();
        staged[count] = queue.staged();
        firstParts[count] = parts.size();
        positions[count] = position;
    }

    /// Adds the frame that was begun.
    ///
    /// @param isDropped it goes nowhere
    void add(long frame, int length, boolean isDropped) {
        frames[count] = frame;
        lengths[count] = length;
        dropped[count] = isDropped;
        count++;
        firstParts[count] = parts.size();
    }

    /// Writes the frames into their buffers, and counts them. The descriptors are not written back by this.
    ///
    /// @return how many were; those behind them are not taken any more
    int write(GuestMemory memory, FrameRing ring, Statistics statistics) {
        MemorySegment source = ring.memory();
        int written = memory.write(parts, 0, source);
        int done = 0;
        while (done < count && firstParts[done + 1] <= written) {
            if (dropped[done]) {
                statistics.receiveDiscarded();
            } else {
                statistics.received(Ethernet.destination(source, frames[done]), lengths[done]);
            }
            done++;
        }
        for (int i = count - 1; i >= done; i--) {
            queues[i].unstage(heads[i], staged[i]);
            ring.untake(positions[i]);
        }
        return done;
    }
}
