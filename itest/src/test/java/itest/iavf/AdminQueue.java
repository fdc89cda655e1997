// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Optional;
import vfio.pci.api.VfioException;

/** The mailbox to the PF and back: two rings of 32 descriptors, a buffer of 4096 bytes for each. For one thread. */
public final class AdminQueue {
    /** Descriptors of each ring. */
    public static final int LENGTH = 32;
    /** Bytes of each buffer. */
    public static final int BUFFER = 4096;

    private static final Duration SHUTDOWN = Duration.ofSeconds(10);

    private final Bar0 bar;
    private GuestMemory guest;
    private MemorySegment memory;
    private final long atq;
    private final long atqBuffers;
    private final long arq;
    private final long arqBuffers;
    private int nextToUse;
    private int nextToClean;

    AdminQueue(Bar0 bar, GuestMemory guest) {
        this.bar = bar;
        attach(guest);
        atq = guest.allocate(LENGTH * AqDescLayout.BYTES, BUFFER);
        atqBuffers = guest.allocate((long) LENGTH * BUFFER, BUFFER);
        arq = guest.allocate(LENGTH * AqDescLayout.BYTES, BUFFER);
        arqBuffers = guest.allocate((long) LENGTH * BUFFER, BUFFER);
    }

    /** Goes on with a copy of the memory. */
    void attach(GuestMemory there) {
        guest = there;
        memory = there.memory();
    }

    /** Sets both queues up, in the order of the drivers: enabled before the base is there. */
    void start() throws VfioException {
        nextToUse = 0;
        nextToClean = 0;
        memory.asSlice(atq, LENGTH * AqDescLayout.BYTES).fill((byte) 0);
        guest.wrote(atq, LENGTH * AqDescLayout.BYTES);
        bar.write(IavfRegister.ATQH1, 0);
        bar.write(IavfRegister.ATQT1, 0);
        bar.write(IavfRegister.ATQLEN1, IavfRegister.LEN_ENABLE | LENGTH);
        writeBase(IavfRegister.ATQBAL1, IavfRegister.ATQBAH1, atq);
        for (int i = 0; i < LENGTH; i++) {
            post(i);
        }
        bar.write(IavfRegister.ARQH1, 0);
        bar.write(IavfRegister.ARQT1, 0);
        bar.write(IavfRegister.ARQLEN1, IavfRegister.LEN_ENABLE | LENGTH);
        writeBase(IavfRegister.ARQBAL1, IavfRegister.ARQBAH1, arq);
        VarHandle.releaseFence();
        bar.write(IavfRegister.ARQT1, LENGTH - 1);
    }

    private void writeBase(IavfRegister low, IavfRegister high, long offset) throws VfioException {
        long iova = GuestMemory.iova(offset);
        bar.write(low, (int) iova);
        bar.write(high, (int) (iova >>> Integer.SIZE));
        int back = bar.read(low);
        if (back != (int) iova) {
            throw new IavfException("register=%s value=0x%x expected=0x%x", low, back, (int) iova);
        }
    }

    /** Gives a receive descriptor with its buffer to the device; the tail is not written. */
    private void post(int index) {
        long at = arq + (long) index * AqDescLayout.BYTES;
        long iova = GuestMemory.iova(arqBuffers + (long) index * BUFFER);
        memory.asSlice(at, AqDescLayout.BYTES).fill((byte) 0);
        memory.set(Le.U16, at + AqDescLayout.FLAGS, (short) (AqDescLayout.F_BUF | AqDescLayout.F_LB));
        memory.set(Le.U16, at + AqDescLayout.DATALEN, (short) BUFFER);
        memory.set(Le.U32, at + AqDescLayout.ADDR_HIGH, (int) (iova >>> Integer.SIZE));
        memory.set(Le.U32, at + AqDescLayout.ADDR_LOW, (int) iova);
        guest.wrote(at, AqDescLayout.BYTES);
    }

    /** Sends a virtchnl message; the answer, if any, is {@linkplain #receive received} later. */
    void send(int op, byte[] payload) throws VfioException {
        if (payload.length > BUFFER) {
            throw new IllegalArgumentException("payload=0x%x expected=at most 0x%x".formatted(payload.length, BUFFER));
        }
        long buffer = atqBuffers + (long) nextToUse * BUFFER;
        MemorySegment.copy(payload, 0, memory, ValueLayout.JAVA_BYTE, buffer, payload.length);
        guest.wrote(buffer, BUFFER);
        int flags = AqDescLayout.F_SI;
        if (payload.length > 0) {
            flags |= AqDescLayout.F_BUF | AqDescLayout.F_RD | (payload.length > AqDescLayout.SMALL_BUFFER ? AqDescLayout.F_LB : 0);
        }
        put(flags, AqDescLayout.OP_SEND_MSG_TO_PF, payload.length, op, buffer);
    }

    private void put(int flags, int opcode, int length, int cookie, long buffer) throws VfioException {
        int next = (nextToUse + 1) % LENGTH;
        if (next == bar.read(IavfRegister.ATQH1)) {
            throw new IavfException("atqh=0x%x next_to_use=0x%x: the device takes no messages", next, nextToUse);
        }
        long at = atq + (long) nextToUse * AqDescLayout.BYTES;
        memory.asSlice(at, AqDescLayout.BYTES).fill((byte) 0);
        memory.set(Le.U16, at + AqDescLayout.FLAGS, (short) flags);
        memory.set(Le.U16, at + AqDescLayout.OPCODE, (short) opcode);
        memory.set(Le.U16, at + AqDescLayout.DATALEN, (short) length);
        memory.set(Le.U32, at + AqDescLayout.COOKIE_HIGH, cookie);
        if (opcode == AqDescLayout.OP_QUEUE_SHUTDOWN) {
            memory.set(Le.U32, at + AqDescLayout.PARAM0, 1);
        }
        if (length > 0) {
            long iova = GuestMemory.iova(buffer);
            memory.set(Le.U32, at + AqDescLayout.ADDR_HIGH, (int) (iova >>> Integer.SIZE));
            memory.set(Le.U32, at + AqDescLayout.ADDR_LOW, (int) iova);
        }
        guest.wrote(at, AqDescLayout.BYTES);
        nextToUse = next;
        VarHandle.releaseFence();
        bar.write(IavfRegister.ATQT1, nextToUse);
    }

    /** Takes the next message of the PF, if one is there. */
    Optional<AqMessage> receive() throws VfioException {
        int head = bar.read(IavfRegister.ARQH1);
        if (head == nextToClean) {
            return Optional.empty();
        }
        if (head < 0 || head >= LENGTH) {
            throw new IavfException("arqh=0x%x expected=below 0x%x", head, LENGTH);
        }
        VarHandle.acquireFence();
        if ((flags(nextToClean) & AqDescLayout.F_DD) == 0 && !enabled()) {
            // The head is that of a function which was just reset.
            return Optional.empty();
        }
        AqMessage message = read(nextToClean);
        post(nextToClean);
        VarHandle.releaseFence();
        bar.write(IavfRegister.ARQT1, nextToClean);
        nextToClean = (nextToClean + 1) % LENGTH;
        return Optional.of(message);
    }

    private int flags(int index) {
        return Short.toUnsignedInt(memory.get(Le.U16, arq + (long) index * AqDescLayout.BYTES + AqDescLayout.FLAGS));
    }

    private AqMessage read(int index) {
        long at = arq + (long) index * AqDescLayout.BYTES;
        int flags = flags(index);
        int opcode = Short.toUnsignedInt(memory.get(Le.U16, at + AqDescLayout.OPCODE));
        int length = Short.toUnsignedInt(memory.get(Le.U16, at + AqDescLayout.DATALEN));
        int retval = Short.toUnsignedInt(memory.get(Le.U16, at + AqDescLayout.RETVAL));
        long address = Integer.toUnsignedLong(memory.get(Le.U32, at + AqDescLayout.ADDR_HIGH)) << Integer.SIZE
            | Integer.toUnsignedLong(memory.get(Le.U32, at + AqDescLayout.ADDR_LOW));
        long buffer = arqBuffers + (long) index * BUFFER;
        int done = AqDescLayout.F_DD | AqDescLayout.F_CMP;
        if ((flags & (done | AqDescLayout.F_ERR)) != done || opcode != AqDescLayout.OP_SEND_MSG_TO_VF || length > BUFFER || retval != 0
                || address != GuestMemory.iova(buffer)) {
            throw new IavfException("arq[%d] flags=0x%x opcode=0x%x datalen=0x%x retval=0x%x address=0x%x expected=DD, CMP, 0x%x, 0x%x",
                index, flags, opcode, length, retval, address, AqDescLayout.OP_SEND_MSG_TO_VF, GuestMemory.iova(buffer));
        }
        int op = memory.get(Le.U32, at + AqDescLayout.COOKIE_HIGH);
        int status = memory.get(Le.U32, at + AqDescLayout.COOKIE_LOW);
        return new AqMessage(op, status, memory.asSlice(buffer, length).toArray(ValueLayout.JAVA_BYTE));
    }

    /** Returns when the device has done with all that was sent; each descriptor is then marked as done. */
    void awaitSent(Duration longest) throws VfioException {
        var wait = new Wait(longest);
        while (bar.read(IavfRegister.ATQH1) != nextToUse) {
            wait.nap("the device takes what was sent");
        }
        int last = (nextToUse + LENGTH - 1) % LENGTH;
        int flags = Short.toUnsignedInt(memory.get(Le.U16, atq + (long) last * AqDescLayout.BYTES + AqDescLayout.FLAGS));
        int done = AqDescLayout.F_DD | AqDescLayout.F_CMP;
        if ((flags & (done | AqDescLayout.F_ERR)) != done) {
            throw new IavfException("atq[%d] flags=0x%x expected=DD, CMP, no ERR", last, flags);
        }
    }

    /** Whether both queues are enabled and without errors; they are not from the moment the function is reset. */
    boolean enabled() throws VfioException {
        int atqlen = bar.read(IavfRegister.ATQLEN1);
        int arqlen = bar.read(IavfRegister.ARQLEN1);
        if (((atqlen | arqlen) & IavfRegister.LEN_ERRORS) != 0) {
            throw new IavfException("atqlen=0x%x arqlen=0x%x expected=no error bits", atqlen, arqlen);
        }
        return (arqlen & IavfRegister.LEN_ENABLE) != 0;
    }

    /** Tells the device that no more will come, if it still listens, and takes the queues down. */
    void shutdown() throws VfioException {
        if ((bar.read(IavfRegister.ATQLEN1) & IavfRegister.LEN_ENABLE) != 0) {
            put(AqDescLayout.F_SI, AqDescLayout.OP_QUEUE_SHUTDOWN, 0, 0, 0);
            awaitSent(SHUTDOWN);
        }
        for (IavfRegister register : new IavfRegister[] {
            IavfRegister.ATQH1, IavfRegister.ATQT1, IavfRegister.ATQLEN1, IavfRegister.ATQBAL1, IavfRegister.ATQBAH1,
            IavfRegister.ARQH1, IavfRegister.ARQT1, IavfRegister.ARQLEN1, IavfRegister.ARQBAL1, IavfRegister.ARQBAH1}) {
            bar.write(register, 0);
        }
    }
}
