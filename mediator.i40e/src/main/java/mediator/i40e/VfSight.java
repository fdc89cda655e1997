// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import vfio.pci.api.VfioException;

/// What a physical function sees of one of its virtual functions. Thread-safe.
final class VfSight {
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PfOwner physical;
    private final int function;
    private final MemorySegment register = MemorySegment.ofArray(new int[1]);

    /// @param function index among those of the physical function
    VfSight(PfOwner physical, int function) {
        this.physical = physical;
        this.function = function;
    }

    /// The queue pairs. Waits for the device, which may be waiting for its memory.
    ///
    /// @throws VfioException as [AdminQueue#command]
    List<QueueContext> queues() throws VfioException {
        return physical.now().states().queues(function);
    }

    /// One of the mailbox's rings as its registers are now.
    ///
    /// @throws VfioException ENODEV when the function has gone
    MailboxRing mailbox(boolean receive) throws VfioException {
        return receive
            ? ring(read(MailboxRegister.VF_ARQBAL), read(MailboxRegister.VF_ARQBAH), read(MailboxRegister.VF_ARQLEN),
                read(MailboxRegister.VF_ARQH), read(MailboxRegister.VF_ARQT))
            : ring(read(MailboxRegister.VF_ATQBAL), read(MailboxRegister.VF_ATQBAH), read(MailboxRegister.VF_ATQLEN),
                read(MailboxRegister.VF_ATQH), read(MailboxRegister.VF_ATQT));
    }

    /// The ring a register belongs to, as its registers will be when that one has a new value.
    ///
    /// @throws VfioException ENODEV when the function has gone
    MailboxRing mailbox(MailboxRegister written, int value) throws VfioException {
        MailboxRing now = mailbox(written.receives());
        return switch (written) {
            case VF_ATQBAL, VF_ARQBAL -> new MailboxRing(now.base() & 0xFFFF_FFFF_0000_0000L | Integer.toUnsignedLong(value), now.length(),
                now.head(), now.tail());
            case VF_ATQBAH, VF_ARQBAH -> new MailboxRing(now.base() & 0xFFFF_FFFFL | (long) value << Integer.SIZE, now.length(), now.head(),
                now.tail());
            case VF_ATQLEN, VF_ARQLEN -> new MailboxRing(now.base(), length(value), now.head(), now.tail());
            case VF_ATQH, VF_ARQH -> new MailboxRing(now.base(), now.length(), value & MailboxRegister.INDEX_MASK, now.tail());
            case VF_ATQT, VF_ARQT -> new MailboxRing(now.base(), now.length(), now.head(), value & MailboxRegister.INDEX_MASK);
        };
    }

    private static MailboxRing ring(int low, int high, int length, int head, int tail) {
        return new MailboxRing((long) high << Integer.SIZE | Integer.toUnsignedLong(low), length(length),
            head & MailboxRegister.INDEX_MASK, tail & MailboxRegister.INDEX_MASK);
    }

    private static int length(int value) {
        return (value & VfRegister.ARQENABLE) == 0 ? 0 : value & MailboxRegister.INDEX_MASK;
    }

    private synchronized int read(MailboxRegister which) throws VfioException {
        physical.now().readRegister(which.physical(function), register);
        return register.get(DWORD, 0);
    }
}
