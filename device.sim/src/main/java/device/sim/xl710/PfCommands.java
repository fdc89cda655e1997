// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.mailbox.Commands;
import device.sim.xl710.mailbox.Descriptor;
import device.sim.xl710.mailbox.Flags;
import device.sim.xl710.mailbox.Message;
import device.sim.xl710.mailbox.Outcome;
import device.sim.xl710.mailbox.ReturnCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// The physical function's firmware: what its admin queue is asked. Besides what every driver sends, there is a command that the real
/// firmware does not have, by which a driver moves the state of a virtual function:
///
/// | field | of the command | of the answer |
/// |---|---|---|
/// | opcode | 0xFE10 | |
/// | param0 | bits 0-15 virtual function, bits 16-23 operation | the same |
/// | param1 | offset, for read and write | length of the state, for stop and read; bytes written so far, for write |
/// | buffer | a part of the state, for read and write | the part, for read; `datalen` says how long it is |
///
/// Operations: 1 stop, 2 read, 3 write, 4 load what was written, 5 restart, 6 queues, which reads the queue pairs as they are between two
/// packets, laid out as in [device.sim.xl710.queue.QueuePairs#save()]. They are answered ENOENT for a function that does not exist, EBUSY
/// when it does not stand still (all but stop, restart and queues), ERANGE for a part that is not the next one, EINVAL for a state that
/// cannot be taken over, which changes nothing.
final class PfCommands implements Commands {
    /// `i40e_aqc_opc_get_version`.
    private static final int GET_VERSION = 0x0001;
    /// `i40e_aqc_opc_driver_version`.
    private static final int DRIVER_VERSION = 0x0002;
    /// `i40e_aqc_opc_queue_shutdown`.
    private static final int QUEUE_SHUTDOWN = 0x0003;
    /// Ours, among the codes that are set aside for the maker of a system.
    private static final int VF_STATE = 0xFE10;

    private static final int STOP = 1;
    private static final int READ = 2;
    private static final int WRITE = 3;
    private static final int LOAD = 4;
    private static final int RESTART = 5;
    private static final int QUEUES = 6;

    private static final int ROM_VERSION = 1;
    private static final int FIRMWARE_BUILD = 1;
    private static final int FIRMWARE_VERSION = 9 | 130 << 16;
    private static final int API_VERSION = 1 | 15 << 16;

    private final List<VfStateTransfer> transfers;

    PfCommands(List<VfModel> virtualFunctions) {
        transfers = virtualFunctions.stream().map(VfStateTransfer::new).toList();
    }

    /// The driver has gone: no virtual function waits for it.
    void reset() {
        transfers.forEach(VfStateTransfer::restart);
    }

    @Override
    public Outcome execute(Descriptor command, MemorySegment buffer, int length, List<Message> replies) {
        return switch (command.opcode()) {
            case GET_VERSION -> new Outcome(ReturnCode.OK, ROM_VERSION, FIRMWARE_BUILD,
                (long) FIRMWARE_VERSION << Integer.SIZE | Integer.toUnsignedLong(API_VERSION), 0);
            case DRIVER_VERSION, QUEUE_SHUTDOWN -> Outcome.of(command, ReturnCode.OK);
            case VF_STATE -> state(command, buffer, length);
            default -> Outcome.of(command, ReturnCode.ENOSYS);
        };
    }

    private Outcome state(Descriptor command, MemorySegment buffer, int length) {
        int index = command.param0() & 0xFFFF;
        if (index >= transfers.size()) {
            return Outcome.of(command, ReturnCode.ENOENT);
        }
        VfStateTransfer transfer = transfers.get(index);
        int operation = command.param0() >>> 16 & 0xFF;
        if (operation == STOP) {
            transfer.stop();
            return Outcome.done(command, transfer.length(), 0);
        }
        if (operation == RESTART) {
            transfer.restart();
            return Outcome.of(command, ReturnCode.OK);
        }
        if (operation == QUEUES) {
            byte[] queues = transfer.queues();
            int count = Math.min(queues.length, length);
            MemorySegment.copy(queues, 0, buffer, ValueLayout.JAVA_BYTE, 0, count);
            return Outcome.done(command, queues.length, count);
        }
        if (!transfer.stopped()) {
            return Outcome.of(command, ReturnCode.EBUSY);
        }
        return switch (operation) {
            case READ -> {
                byte[] part = new byte[length];
                int count = transfer.read(command.param1(), part);
                MemorySegment.copy(part, 0, buffer, ValueLayout.JAVA_BYTE, 0, count);
                yield Outcome.done(command, transfer.length(), count);
            }
            case WRITE -> {
                byte[] part = command.has(Flags.RD) ? buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE) : new byte[0];
                yield transfer.write(command.param1(), part) ? Outcome.done(command, transfer.written(), 0)
                    : Outcome.of(command, ReturnCode.ERANGE);
            }
            case LOAD -> Outcome.of(command, transfer.load());
            default -> Outcome.of(command, ReturnCode.EINVAL);
        };
    }
}
