// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// The mailbox of a virtual function: the queue for commands, whose descriptors are written back and whose messages say what the queues
/// are going to be, and the queue for messages, whose buffers are written. Guarded by its owner.
///
/// Registers are read at each write, as the device has them: it clears them in a reset. Rings are short, and all that is handed over is
/// looked at again each time.
final class MailboxRings {
    /// More than a driver sets up between two reports; whoever does more is not followed.
    private static final int MOST = 8;

    private static final int DD = 1;
    private static final int RD = 1 << 10;
    private static final int BUF = 1 << 12;
    private static final int SEND_TO_PF = 0x0801;

    private static final int FLAGS = 0;
    private static final int OPCODE = 2;
    private static final int DATALEN = 4;
    private static final int COOKIE_HIGH = 8;
    private static final int ADDRESS_HIGH = 24;
    private static final int ADDRESS_LOW = 28;
    private static final int NOTHING = -1;

    private final Descriptors descriptors;
    private final Messages messages;
    private final TransmitRings commands = new TransmitRings(Descriptors.BYTES);
    private final List<HandedRing> received = new ArrayList<>();
    /// What was seen last of the queue for messages.
    private Optional<MailboxRing> receive = Optional.empty();
    /// Tail up to which commands were looked at.
    private int seen = NOTHING;

    /// Told of commands on their way to the device.
    interface Messages {
        /// A virtchnl message.
        ///
        /// @param address of its payload
        /// @param length of that, at most [Descriptors#MOST]
        /// @throws VfioException when the guest's memory cannot be read
        void sent(int opcode, long address, int length) throws VfioException;

        /// The driver sets the mailbox up: the function may have been reset since it said something.
        void startsOver();
    }

    MailboxRings(Descriptors descriptors, Messages messages) {
        this.descriptors = descriptors;
        this.messages = messages;
    }

    /// What was seen of the mailbox when a report was begun.
    ///
    /// @param commandTail up to which commands had been looked at
    /// @param receive the queue for messages
    record Seen(int commandTail, Optional<MailboxRing> receive) {
    }

    Seen seen() {
        return new Seen(seen, receive);
    }

    /// What the device was found to have after that.
    record Found(MailboxRing transmit, MailboxRing receive) {
    }

    /// What the device has now. Not with a lock held that the device may be waiting for.
    ///
    /// @throws VfioException ENODEV when the function has gone
    static Found find(VfSight sight) throws VfioException {
        return new Found(sight.mailbox(false), sight.mailbox(true));
    }

    /// Takes in what is there already.
    ///
    /// @return false for rings that are not followed
    /// @throws VfioException when the guest's memory cannot be read
    boolean begin(Found found, int now, DirtyLog log) throws VfioException {
        boolean followed = receive.isPresent() || receiving(found.receive(), now, log);
        return (seen != NOTHING || commanding(found.transmit(), found.transmit().head(), now, log)) && followed;
    }

    /// A register is going to have a new value.
    ///
    /// @param ring as its registers will be then
    /// @return false for rings that are not followed
    /// @throws VfioException when the guest's memory cannot be read
    boolean wrote(MailboxRegister register, MailboxRing ring, int now, DirtyLog log) throws VfioException {
        if (register == MailboxRegister.VF_ATQLEN || register == MailboxRegister.VF_ARQLEN) {
            messages.startsOver();
        }
        if (register.receives()) {
            return receiving(ring, now, log);
        }
        // Only a tail says anything of what is before it; and what was looked at is not to be carried out twice.
        boolean goesOn = register == MailboxRegister.VF_ATQT && seen != NOTHING && seen < Math.max(ring.length(), 1);
        return commanding(ring, goesOn ? seen : ring.head(), now, log);
    }

    private boolean commanding(MailboxRing ring, int from, int now, DirtyLog log) throws VfioException {
        seen = ring.tail();
        if (!ring.works()) {
            return true;
        }
        boolean followed = commands.add(ring.place(), now);
        commands.enabling(now);
        if (ring.tail() >= ring.length() || from >= ring.length()) {
            // The device refuses to work with such a ring.
            return followed;
        }
        for (int i = from; i != ring.tail(); i = (i + 1) % ring.length()) {
            command(ring.base() + (long) i * Descriptors.BYTES, log);
        }
        return followed;
    }

    private void command(long at, DirtyLog log) throws VfioException {
        descriptors.read(at, Descriptors.BYTES);
        int flags = descriptors.word(FLAGS);
        if (descriptors.word(OPCODE) == SEND_TO_PF && (flags & DD) == 0) {
            int length = (flags & BUF) == 0 ? 0 : Math.min(descriptors.word(DATALEN), Descriptors.MOST);
            messages.sent(descriptors.dword(COOKIE_HIGH), address(), length);
        }
    }

    private long address() {
        return (long) descriptors.dword(ADDRESS_HIGH) << Integer.SIZE | Integer.toUnsignedLong(descriptors.dword(ADDRESS_LOW));
    }

    private boolean receiving(MailboxRing ring, int now, DirtyLog log) throws VfioException {
        receive = Optional.of(ring);
        if (!ring.works()) {
            return true;
        }
        HandedRing handed = handed(ring.place(), now);
        if (handed == null) {
            return false;
        }
        handed.touched(now);
        if (ring.head() >= ring.length() || ring.tail() >= ring.length()) {
            return true;
        }
        for (int i = ring.head(); i != ring.tail(); i = (i + 1) % ring.length()) {
            descriptors.read(ring.base() + (long) i * Descriptors.BYTES, Descriptors.BYTES);
            if ((descriptors.word(FLAGS) & DD) != 0) {
                handed.done(i, log);
            } else {
                handed.hand(i, address(), descriptors.word(DATALEN), now, log);
            }
        }
        return true;
    }

    private HandedRing handed(RingPlace place, int now) {
        for (HandedRing ring : received) {
            if (ring.place().equals(place)) {
                return ring;
            }
        }
        if (received.size() == MOST) {
            return null;
        }
        HandedRing added = new HandedRing(place, Descriptors.BYTES, now);
        received.add(added);
        return added;
    }

    /// Whether all commands that had been seen have been carried out.
    static boolean settled(Seen before, Found found) {
        return before.commandTail() != NOTHING && found.transmit().head() == before.commandTail();
    }

    /// Marks what may have been written, and lets go what is complete.
    ///
    /// @param time of the report
    /// @return false when the device uses a ring that nobody told of
    boolean collect(Seen before, Found found, int time, DirtyLog log) {
        MailboxRing transmit = found.transmit();
        boolean known = commands.collect(transmit.place(), transmit.works(), settled(before, found), time, log);
        // A write that was seen is on its way until the registers say what it said.
        boolean arrived = before.receive().filter(ring -> ring.place().equals(found.receive().place())
            && ring.tail() == found.receive().tail()).isPresent();
        boolean receives = !found.receive().works();
        for (int i = received.size() - 1; i >= 0; i--) {
            HandedRing ring = received.get(i);
            ring.report(log);
            boolean has = ring.place().equals(found.receive().place());
            receives |= has;
            if (has) {
                ring.touched(time);
                if (arrived) {
                    ring.completed(found.receive().head(), found.receive().tail(), time);
                }
            } else if (ring.unused(time)) {
                received.remove(i);
            }
        }
        return known && receives;
    }
}
