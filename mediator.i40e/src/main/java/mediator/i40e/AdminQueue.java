// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;

/// The admin queue by which the driver commands a physical function: one command at a time, waited for by looking at the head. Layout and
/// rules: Intel Ethernet Controller X710/XXV710/XL710 Datasheet, section "Admin queue".
///
/// Thread-safe. A command may take as long as the device takes to stop a virtual function, so that none is to be given by a thread that a
/// client waits for.
final class AdminQueue {
    /// Most bytes of a command's buffer.
    static final int BUFFER = 4096;

    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LENGTH = 32;
    private static final int DESCRIPTOR = 32;
    private static final int BUFFER_AT = 4096;
    /// Memory that the queue needs: a page of descriptors and a buffer.
    static final int MEMORY = BUFFER_AT + BUFFER;

    private static final int FLAG_DD = 1;
    private static final int FLAG_ERR = 1 << 2;
    private static final int FLAG_LB = 1 << 9;
    private static final int FLAG_RD = 1 << 10;
    private static final int FLAG_BUF = 1 << 12;
    private static final int FLAG_SI = 1 << 13;
    private static final int SMALL_BUFFER = 512;

    private static final long LOOK_NANOS = 20_000;

    private final BoundFunction function;
    private final MemorySegment memory;
    private final long timeoutNanos;
    private final MemorySegment register = MemorySegment.ofArray(new int[1]);
    private boolean started;
    private int next;

    /// A queue that is off until the first command.
    ///
    /// @param timeoutMillis how long a command may take
    AdminQueue(BoundFunction function, DmaMemory memory, long timeoutMillis) {
        this.function = function;
        this.memory = memory.memory();
        this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }

    /// What the device answered.
    ///
    /// @param code 0, or what was wrong (`enum i40e_admin_queue_err`)
    /// @param length bytes that it wrote into the buffer
    /// @param param1 as the command says
    record Answer(int code, int length, int param1) {
    }

    /// Gives a command and waits for the answer.
    ///
    /// @param data what the command brings, or where what it fetches goes
    /// @param count bytes, at most [#BUFFER]; 0 without a buffer
    /// @param fetch whether the device fills the buffer
    /// @throws VfioException ETIMEDOUT when there is no answer; EIO when the queue broke; ENODEV when the function has gone
    synchronized Answer command(int opcode, int param0, int param1, MemorySegment data, long offset, int count, boolean fetch)
            throws VfioException {
        start();
        int at = next * DESCRIPTOR;
        if (!fetch) {
            MemorySegment.copy(data, offset, memory, BUFFER_AT, count);
        }
        int flags = FLAG_SI | (count > 0 ? FLAG_BUF : 0) | (count > 0 && !fetch ? FLAG_RD : 0) | (count > SMALL_BUFFER ? FLAG_LB : 0);
        memory.asSlice(at, DESCRIPTOR).fill((byte) 0);
        memory.set(WORD, at, (short) flags);
        memory.set(WORD, at + 2, (short) opcode);
        memory.set(WORD, at + 4, (short) count);
        memory.set(DWORD, at + 16, param0);
        memory.set(DWORD, at + 20, param1);
        if (count > 0) {
            memory.set(DWORD, at + 28, (int) DmaMemory.IOVA + BUFFER_AT);
        }
        next = (next + 1) % LENGTH;
        write(AdminRegister.PF_ATQT, next);
        await(opcode);
        return answer(at, data, offset, fetch ? count : 0);
    }

    private Answer answer(int at, MemorySegment data, long offset, int room) throws VfioException {
        int flags = memory.get(WORD, at);
        int code = Short.toUnsignedInt(memory.get(WORD, at + 6));
        if ((flags & FLAG_DD) == 0 || (flags & FLAG_ERR) != 0 && code == 0) {
            throw new VfioException(Errno.EIO, "flags=0x%x expected=a descriptor that was handed back".formatted(flags & 0xFFFF));
        }
        int length = code == 0 ? Math.min(room, Short.toUnsignedInt(memory.get(WORD, at + 4))) : 0;
        MemorySegment.copy(memory, BUFFER_AT, data, offset, length);
        return new Answer(code, length, memory.get(DWORD, at + 20));
    }

    private void await(int opcode) throws VfioException {
        long end = System.nanoTime() + timeoutNanos;
        while (read(AdminRegister.PF_ATQH) != next) {
            if ((read(AdminRegister.PF_ATQLEN) & AdminRegister.ERRORS) != 0) {
                started = false;
                throw new VfioException(Errno.EIO, "opcode=0x%x PF_ATQLEN=0x%x expected=no error".formatted(opcode,
                    read(AdminRegister.PF_ATQLEN)));
            }
            if (System.nanoTime() - end > 0) {
                started = false;
                throw new VfioException(Errno.ETIMEDOUT, "opcode=0x%x expected=an answer within %d ms".formatted(opcode,
                    TimeUnit.NANOSECONDS.toMillis(timeoutNanos)));
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /// Sets the ring up as the family's drivers do, which is also how a queue that broke starts over.
    private void start() throws VfioException {
        if (started && (read(AdminRegister.PF_ATQLEN) & AdminRegister.ATQENABLE) != 0) {
            return;
        }
        next = 0;
        write(AdminRegister.PF_ATQLEN, 0);
        write(AdminRegister.PF_ATQH, 0);
        write(AdminRegister.PF_ATQT, 0);
        write(AdminRegister.PF_ATQLEN, AdminRegister.ATQENABLE | LENGTH);
        write(AdminRegister.PF_ATQBAL, (int) DmaMemory.IOVA);
        write(AdminRegister.PF_ATQBAH, 0);
        if (read(AdminRegister.PF_ATQBAL) != (int) DmaMemory.IOVA) {
            throw new VfioException(Errno.EIO, "PF_ATQBAL=0x%x expected=0x%x".formatted(read(AdminRegister.PF_ATQBAL), DmaMemory.IOVA));
        }
        started = true;
    }

    private int read(AdminRegister which) throws VfioException {
        function.readBar(AdminRegister.BAR, which.offset(), register, 0, Integer.BYTES);
        return register.get(DWORD, 0);
    }

    private void write(AdminRegister which, int value) throws VfioException {
        register.set(DWORD, 0, value);
        function.writeBar(AdminRegister.BAR, which.offset(), register, 0, Integer.BYTES);
    }
}
