// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
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
/// | buffer | a part, for read and write | |
final class VfStateCommands {
    private static final int VF_STATE = 0xFE10;
    private static final int STOP = 1;
    private static final int READ = 2;
    private static final int WRITE = 3;
    private static final int LOAD = 4;
    private static final int RESTART = 5;
    private static final int OPERATION_SHIFT = 16;

    /// `I40E_AQ_RC_ENOENT`.
    private static final int RC_ENOENT = 2;
    /// `I40E_AQ_RC_EBUSY`.
    private static final int RC_EBUSY = 12;
    /// `I40E_AQ_RC_ENOSYS`.
    private static final int RC_ENOSYS = 17;

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
    ///     kind;
    ///     else as [#stop]
    void load(int function) throws VfioException {
        command(LOAD, function, 0, NOTHING, 0, 0, false);
    }

    /// Has the function go on from its state; has no effect on one that runs.
    ///
    /// @throws VfioException as [#stop]
    void restart(int function) throws VfioException {
        command(RESTART, function, 0, NOTHING, 0, 0, false);
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
