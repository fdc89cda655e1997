// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;

/**
 * A ring of buffers for frames that come. {@link #poll} shows each to a receiver in place and gives the buffer back. Nothing is allocated
 * by that. For one thread.
 */
public final class RxRing {
    /** Takes frames. */
    public interface Receiver {
        /**
         * A frame, or a piece of one, is there; it is until this returns.
         *
         * @param frame where it is
         * @param last whether the frame ends here
         */
        void received(MemorySegment memory, long at, int bytes, boolean last, RxRing frame);
    }

    /** Buffers are given back this many at once, as Linux does. */
    private static final int REFILL = 16;
    /** Every so many times it waits until the device knows of them: it must not run out only because messages are late. */
    private static final int WAIT_EVERY = 8;

    private GuestMemory guest;
    private MemorySegment memory;
    private Doorbell tail;
    private final int queue;
    private final long ring;
    private final long buffers;
    private final int length;
    private final int bufferSize;
    private int nextToClean;
    private int held;
    private int refills;
    private long status;
    private long tagAndHash;

    RxRing(GuestMemory guest, Doorbell tail, int queue, int length, int bufferSize) {
        attach(guest, tail);
        this.queue = queue;
        this.length = length;
        this.bufferSize = bufferSize;
        ring = guest.allocate((long) length * RxDescLayout.BYTES, 4096);
        buffers = guest.allocate((long) length * bufferSize, 4096);
    }

    /** Goes on with a copy of the memory, and the tail of another device that goes on where this one was. */
    void attach(GuestMemory there, Doorbell itsTail) {
        guest = there;
        memory = there.memory();
        tail = itsTail;
    }

    /** As after a reset: all buffers are empty. The tail is not written. */
    void clear() {
        for (int i = 0; i < length; i++) {
            long at = ring + (long) i * RxDescLayout.BYTES;
            give(i);
            memory.set(Le.U64, at + 16, 0);
            memory.set(Le.U64, at + 24, 0);
            guest.wrote(at, RxDescLayout.BYTES);
        }
        nextToClean = 0;
        held = 0;
    }

    private void give(int index) {
        long at = ring + (long) index * RxDescLayout.BYTES;
        memory.set(Le.U64, at + RxDescLayout.PKT_ADDR, GuestMemory.iova(buffers + (long) index * bufferSize));
        memory.set(Le.U64, at + RxDescLayout.HDR_ADDR, 0);
        guest.wrote(at, RxDescLayout.BYTES);
    }

    /** Tells the device of all buffers but one. */
    void open() throws VfioException {
        tail.ring(length - 1);
    }

    long iova() {
        return GuestMemory.iova(ring);
    }

    int length() {
        return length;
    }

    int bufferSize() {
        return bufferSize;
    }

    /** The queue's number. */
    public int queue() {
        return queue;
    }

    /** Whether something is there. */
    public boolean ready() {
        return (writtenBack() & RxDescLayout.STATUS_DD) != 0;
    }

    private long writtenBack() {
        return (long) Le.QUAD_WORD.getAcquire(memory, ring + (long) nextToClean * RxDescLayout.BYTES + RxDescLayout.STATUS_ERROR_LEN);
    }

    /**
     * Takes what is there.
     *
     * @param most descriptors
     * @return how many it took
     */
    public int poll(Receiver receiver, int most) throws VfioException {
        int taken = 0;
        while (taken < most) {
            status = writtenBack();
            if ((status & RxDescLayout.STATUS_DD) == 0) {
                break;
            }
            tagAndHash = memory.get(Le.U64, ring + (long) nextToClean * RxDescLayout.BYTES + RxDescLayout.QWORD0);
            int bytes = (int) (status >>> RxDescLayout.LENGTH_SHIFT & RxDescLayout.LENGTH_MASK);
            long errors = status >>> RxDescLayout.ERROR_SHIFT & RxDescLayout.ERROR_MASK;
            if (bytes == 0 || bytes > bufferSize || errors != 0) {
                throw new IavfException("rx queue=%d descriptor=0x%x status=0x%x length=0x%x expected=no error, 1 to 0x%x bytes", queue,
                    nextToClean, status, bytes, bufferSize);
            }
            receiver.received(memory, buffers + (long) nextToClean * bufferSize, bytes, (status & RxDescLayout.STATUS_EOF) != 0, this);
            give(nextToClean);
            nextToClean = nextToClean + 1 == length ? 0 : nextToClean + 1;
            taken++;
            held++;
            if (held >= REFILL) {
                refill();
            }
        }
        return taken;
    }

    private void refill() throws VfioException {
        held = 0;
        int last = nextToClean == 0 ? length - 1 : nextToClean - 1;
        if (++refills % WAIT_EVERY == 0) {
            tail.ringAndWait(last);
        } else {
            tail.ring(last);
        }
    }

    /** Whether the descriptor of what is being shown has a hash. */
    public boolean hasHash() {
        return (status >>> RxDescLayout.FLTSTAT_SHIFT & RxDescLayout.FLTSTAT_MASK) == RxDescLayout.FLTSTAT_RSS_HASH;
    }

    /** Of what is being shown. */
    public int hash() {
        return (int) (tagAndHash >>> Integer.SIZE);
    }

    /** Whether a VLAN tag was taken out of what is being shown. */
    public boolean hasTag() {
        return (status & RxDescLayout.STATUS_L2TAG1P) != 0;
    }

    /** Of what is being shown. */
    public int tag() {
        return (int) (tagAndHash >>> Short.SIZE & 0xFFFF);
    }

    /** {@code iavf_ptype} of what is being shown. */
    public int packetType() {
        return (int) (status >>> RxDescLayout.PTYPE_SHIFT & RxDescLayout.PTYPE_MASK);
    }
}
