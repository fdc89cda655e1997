// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;

/**
 * A ring of frames to send, with a buffer for each descriptor. A frame is written where {@link #buffer()} says, {@linkplain #add added},
 * and is the device's from the next {@link #kick()} on. Nothing is allocated by that. For one thread.
 */
public final class TxRing {
    /** The last descriptor of this many asks for a report of what is done. */
    private static final int REPORT_EVERY = 32;

    private GuestMemory guest;
    private MemorySegment memory;
    private Doorbell tail;
    private final long ring;
    private final long buffers;
    private final int length;
    private final int bufferSize;
    /** Descriptors that asked for a report, oldest first: a ring of its own. */
    private final int[] reports;
    private int reportsFrom;
    private int reportsTo;
    private int nextToUse;
    private int nextToClean;
    private int sinceReport;
    private boolean kicked = true;

    TxRing(GuestMemory guest, Doorbell tail, int length, int bufferSize) {
        attach(guest, tail);
        this.length = length;
        this.bufferSize = bufferSize;
        ring = guest.allocate((long) length * TxDescLayout.BYTES, 4096);
        buffers = guest.allocate((long) length * bufferSize, 4096);
        reports = new int[length];
    }

    /** Goes on with a copy of the memory, and the tail of another device that goes on where this one was. */
    void attach(GuestMemory there, Doorbell itsTail) {
        guest = there;
        memory = there.memory();
        tail = itsTail;
    }

    /** As after a reset: empty. The tail is not written. */
    void clear() {
        memory.asSlice(ring, (long) length * TxDescLayout.BYTES).fill((byte) 0);
        guest.wrote(ring, (long) length * TxDescLayout.BYTES);
        reportsFrom = 0;
        reportsTo = 0;
        nextToUse = 0;
        nextToClean = 0;
        sinceReport = 0;
        kicked = true;
    }

    /** Bytes of each buffer. */
    public int bufferSize() {
        return bufferSize;
    }

    long iova() {
        return GuestMemory.iova(ring);
    }

    int length() {
        return length;
    }

    /** Writes 0 to the tail, as DPDK does before the queue is enabled. */
    void zeroTail() throws VfioException {
        tail.ring(0);
    }

    /** Where frames are written. */
    public MemorySegment memory() {
        return memory;
    }

    /** How many descriptors can be added now. */
    public int space() {
        int used = nextToUse - nextToClean;
        return length - 1 - (used < 0 ? used + length : used);
    }

    /** How many descriptors the device has not reported as done. */
    public int pending() {
        return length - 1 - space();
    }

    /** Where the buffer of the descriptor that is added next begins, in {@link #memory()}. */
    public long buffer() {
        return buffers + (long) nextToUse * bufferSize;
    }

    /** Adds a whole frame. Only with {@link #space()}. */
    public void add(int bytes) {
        add(bytes, true, 0);
    }

    /**
     * Adds a frame, or a piece of one. Only with {@link #space()}.
     *
     * @param bytes in the buffer
     * @param last whether the frame ends here
     * @param flags more bits of the descriptor's second quad word
     */
    public void add(int bytes, boolean last, long flags) {
        long at = ring + (long) nextToUse * TxDescLayout.BYTES;
        long command = TxDescLayout.CMD_ICRC | flags | (long) bytes << TxDescLayout.BUF_SZ_SHIFT;
        sinceReport++;
        if (last) {
            command |= TxDescLayout.CMD_EOP;
            if (sinceReport >= REPORT_EVERY) {
                command |= report(nextToUse);
            }
        }
        memory.set(Le.U64, at + TxDescLayout.BUFFER_ADDR, GuestMemory.iova(buffer()));
        memory.set(Le.U64, at + TxDescLayout.CMD_TYPE_OFFSET_BSZ, command);
        guest.wrote(buffer(), bytes);
        guest.wrote(at, TxDescLayout.BYTES);
        nextToUse = nextToUse + 1 == length ? 0 : nextToUse + 1;
        kicked = false;
    }

    private long report(int index) {
        reports[reportsTo] = index;
        reportsTo = reportsTo + 1 == length ? 0 : reportsTo + 1;
        sinceReport = 0;
        return TxDescLayout.CMD_RS;
    }

    /** Hands what was added to the device. The last frame is reported, so that all of them are in the end. */
    public void kick() throws VfioException {
        if (kicked) {
            return;
        }
        kicked = true;
        if (sinceReport > 0) {
            int last = nextToUse == 0 ? length - 1 : nextToUse - 1;
            long at = ring + (long) last * TxDescLayout.BYTES + TxDescLayout.CMD_TYPE_OFFSET_BSZ;
            memory.set(Le.U64, at, memory.get(Le.U64, at) | report(last));
            guest.wrote(at, Long.BYTES);
        }
        tail.ring(nextToUse);
    }

    /** Takes back what the device reports as done. */
    public void clean() {
        while (reportsFrom != reportsTo) {
            int index = reports[reportsFrom];
            long at = ring + (long) index * TxDescLayout.BYTES + TxDescLayout.CMD_TYPE_OFFSET_BSZ;
            long written = (long) Le.QUAD_WORD.getAcquire(memory, at);
            if ((written & TxDescLayout.DTYPE_MASK) != TxDescLayout.DTYPE_DESC_DONE) {
                return;
            }
            nextToClean = index + 1 == length ? 0 : index + 1;
            reportsFrom = reportsFrom + 1 == length ? 0 : reportsFrom + 1;
        }
    }
}
