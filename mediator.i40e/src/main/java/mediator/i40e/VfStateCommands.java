// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// How the state of a virtual function gets out of the device and into another: by a command of its physical function's firmware, which no
/// firmware of Intel's has. The device says what the state looks like; here it is bytes.
///
/// | field | of the command | of the answer |
/// |---|---|---|
/// | opcode | 0xFE10 | |
/// | param0 | bits 0-15 virtual function, bits 16-23 operation | |
/// | param1 | offset, for read and write | length of the state, for stop and read |
/// | buffer | a part, for read and write | the part; the queue pairs, for queues |
final class VfStateCommands {
    private static final int VF_STATE = 0xFE10;
    private static final int STOP = 1;
    private static final int READ = 2;
    private static final int WRITE = 3;
    private static final int LOAD = 4;
    private static final int RESTART = 5;
    private static final int QUEUES = 6;
    private static final int OPERATION_SHIFT = 16;

    /// Bytes of a queue pair in the answer to QUEUES: 18 of the transmit queue (u64 base, u32 length, u8 enabled, u8 stopped, u16 head, u16
    /// tail), 28 of the receive queue (u64 base, u32 length, u32 buffer size, u32 longest frame, u8 format, u8 flags, u8 enabled, u8
    /// stopped, u16 head, u16 tail).
    private static final int PAIR = 46;
    private static final int PAIRS = 4;
    private static final int TX_LENGTH = 8;
    private static final int TX_ENABLED = 12;
    private static final int RX = 18;
    private static final int RX_LENGTH = RX + 8;
    private static final int RX_BUFFER = RX + 12;
    private static final int RX_ENABLED = RX + 22;
    private static final int RX_HEAD = RX + 24;
    private static final int RX_TAIL = RX + 26;

    /// `I40E_AQ_RC_ENOENT`.
    private static final int RC_ENOENT = 2;
    /// `I40E_AQ_RC_EBUSY`.
    private static final int RC_EBUSY = 12;
    /// `I40E_AQ_RC_ENOSYS`.
    private static final int RC_ENOSYS = 17;

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong QUAD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

    private final AdminQueue queue;

    VfStateCommands(AdminQueue queue) {
        this.queue = queue;
    }

    /// Has the function stand still: on return it uses no memory, and its state stays what it is but for what its registers are told.
    ///
    /// @param function index among those of the physical function
    /// @return length of the state in bytes
    /// @throws VfioException EOPNOTSUPP when the firmware knows no such command; else as [AdminQueue#command]
    int stop(int function) throws VfioException {
        return command(STOP, function, 0, NOTHING, 0, 0, false).param1();
    }

    /// Reads a part of the state of a function that stands still.
    ///
    /// @return bytes read, at most [AdminQueue#BUFFER]; 0 behind the end
    /// @throws VfioException EBUSY when the function runs; else as [#stop]
    int read(int function, int at, MemorySegment buffer, long offset, int count) throws VfioException {
        AdminQueue.Answer answer = command(READ, function, at, buffer, offset, Math.min(count, AdminQueue.BUFFER), true);
        return Math.clamp((long) answer.param1() - at, 0, answer.length());
    }

    /// Writes the next part of a state, of which the first starts over. It has no effect until [#load].
    ///
    /// @param count at most [AdminQueue#BUFFER]
    /// @throws VfioException EBUSY when the function runs; EINVAL for a part that is not the next or too much; else as [#stop]
    void write(int function, int at, MemorySegment buffer, long offset, int count) throws VfioException {
        command(WRITE, function, at, buffer, offset, count, false);
    }

    /// Has a function that stands still take over what was written. It goes on standing still.
    ///
    /// @throws VfioException EBUSY when the function runs; EINVAL, with nothing changed, for a state that is cut, changed or of another
    ///     kind; else as [#stop]
    void load(int function) throws VfioException {
        command(LOAD, function, 0, NOTHING, 0, 0, false);
    }

    /// Has the function go on from its state; has no effect on one that runs.
    ///
    /// @throws VfioException as [#stop]
    void restart(int function) throws VfioException {
        command(RESTART, function, 0, NOTHING, 0, 0, false);
    }

    /// The queue pairs of a function, whether it stands still or runs: between two packets, and with all write-backs before the heads done.
    ///
    /// @throws VfioException EIO for an answer that is cut short; else as [#stop]
    List<QueueContext> queues(int function) throws VfioException {
        MemorySegment buffer = MemorySegment.ofArray(new byte[AdminQueue.BUFFER]);
        AdminQueue.Answer answer = command(QUEUES, function, 0, buffer, 0, AdminQueue.BUFFER, true);
        if (answer.length() < PAIRS * PAIR) {
            throw new VfioException(Errno.EIO, "vf=%d queues=0x%x bytes expected=0x%x or more".formatted(function, answer.length(),
                PAIRS * PAIR));
        }
        return IntStream.range(0, PAIRS).mapToObj(pair -> queue(buffer, pair * PAIR)).toList();
    }

    private static QueueContext queue(MemorySegment buffer, int at) {
        RingPlace transmit = new RingPlace(buffer.get(QUAD, at), buffer.get(DWORD, at + TX_LENGTH), 0);
        RingPlace receive = new RingPlace(buffer.get(QUAD, at + RX), buffer.get(DWORD, at + RX_LENGTH), buffer.get(DWORD, at + RX_BUFFER));
        return new QueueContext(transmit, buffer.get(BYTE, at + TX_ENABLED) != 0, receive, buffer.get(BYTE, at + RX_ENABLED) != 0,
            Short.toUnsignedInt(buffer.get(WORD, at + RX_HEAD)), Short.toUnsignedInt(buffer.get(WORD, at + RX_TAIL)));
    }

    private AdminQueue.Answer command(int operation, int function, int param1, MemorySegment data, long offset, int count, boolean fetch)
            throws VfioException {
        AdminQueue.Answer answer = queue.command(VF_STATE, operation << OPERATION_SHIFT | function, param1, data, offset, count, fetch);
        if (answer.code() != 0) {
            Errno errno = switch (answer.code()) {
                case RC_ENOENT -> Errno.ENODEV;
                case RC_EBUSY -> Errno.EBUSY;
                case RC_ENOSYS -> Errno.EOPNOTSUPP;
                default -> Errno.EINVAL;
            };
            throw new VfioException(errno, "vf=%d operation=%d retval=%d expected=0".formatted(function, operation, answer.code()));
        }
        return answer;
    }
}
