// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.DirtyLog;

/// Strategy `doorbell-trap`: the tails that hand memory to the device for writing are seen before the device knows of them, and what they
/// hand over is looked at in guest memory. A page that was handed over is in every report until its descriptor is known to be complete, and
/// in one after that. Transmit rings and the mailbox's queue for commands, of which no such tail tells, are in every report as a whole;
/// that queue's tail is seen all the same, because its messages say where rings are.
///
/// Assumes of the guest:
///
/// - A descriptor or message that was handed to the device is not changed until the device has given it back, or was told to leave it and
///   has. A queue that is enabled with a tail of before has everything below that handed over.
/// - A receive descriptor is handed over with its done bit clear, as the hardware wants it.
/// - Registers are written as words.
/// - Rings are in memory that is mapped when they are handed over.
///
/// A guest that breaks one of the last two, or has more rings described at a time than drivers have, is not followed any more: from then on
/// every page that is mapped is in every report. One that breaks the first two can make the device write where it was not seen to; what is
/// lost by that is its own.
///
/// One lock guards all of it but `log`. Guest memory is read with it held. Registers are not, nor is the admin queue waited for: the device
/// may be waiting for us in [#doorbell], with locks held that they need.
final class DoorbellTrap extends DirtyTracking {
    private static final Logger LOG = System.getLogger(DoorbellTrap.class.getName());
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PciAddress device;
    private final MediationContext context;
    private final VfSight sight;
    /// Makes one change of the mailbox at a time, its registers included. Taken before `lock`.
    private final Object mailboxOrder = new Object();
    private final Object lock = new Object();
    /// Absent while nothing is tracked.
    private volatile Optional<DirtyLog> log = Optional.empty();
    private Optional<QueueRings> queues = Optional.empty();
    private Optional<MailboxRings> mailbox = Optional.empty();
    /// Number of the report that was begun last.
    private int report;
    private boolean blind;

    DoorbellTrap(PciAddress device, MediationContext context, VfSight sight) {
        this.device = device;
        this.context = context;
        this.sight = sight;
    }

    @Override
    void begin(DirtyLog started) throws VfioException {
        synchronized (lock) {
            Descriptors descriptors = new Descriptors(context.guestMemory());
            QueueRings all = new QueueRings(descriptors, () -> report, started);
            queues = Optional.of(all);
            mailbox = Optional.of(new MailboxRings(descriptors, all));
            report = 0;
            blind = false;
            log = Optional.of(started);
        }
        boolean begun = false;
        try {
            context.claim(VfRegister.whileLookingAtDescriptors());
            context.trap(true);
            context.watchDoorbells(this::doorbell);
            takeIn(started);
            begun = true;
        } finally {
            if (!begun) {
                end();
            }
        }
    }

    /// What is the device's already. What is rung for meanwhile is seen besides.
    private void takeIn(DirtyLog started) throws VfioException {
        MailboxRings.Found found = MailboxRings.find(sight);
        List<QueueContext> contexts = sight.queues();
        synchronized (lock) {
            try {
                boolean followed = queues.orElseThrow().begin(contexts);
                if (!mailbox.orElseThrow().begin(found, report, started) || !followed) {
                    turnBlind("more rings than are followed");
                }
            } catch (VfioException e) {
                turnBlind(e.getMessage());
            }
        }
    }

    @Override
    void collect(DirtyLog unused) throws VfioException {
        int time;
        int[] tails;
        MailboxRings.Seen seen;
        DirtyLog to = log.orElseThrow(() -> new VfioException(Errno.EINVAL, "device=%s tracking=off expected=on".formatted(device)));
        synchronized (lock) {
            time = ++report;
            tails = queues.orElseThrow().tails();
            seen = mailbox.orElseThrow().seen();
        }
        // In this order: what the mailbox has done the queues have had done to them.
        MailboxRings.Found found = MailboxRings.find(sight);
        List<QueueContext> contexts = sight.queues();
        synchronized (lock) {
            boolean settled = MailboxRings.settled(seen, found);
            boolean known = queues.orElseThrow().collect(contexts, tails, settled, time);
            if (!mailbox.orElseThrow().collect(seen, found, time, to) || !known) {
                turnBlind("a ring that was not announced");
            }
        }
    }

    @Override
    void end() {
        boolean was;
        synchronized (lock) {
            was = log.isPresent();
            log = Optional.empty();
            queues = Optional.empty();
            mailbox = Optional.empty();
        }
        if (was) {
            // Not with the lock held, for which the function's thread may be waiting in there.
            context.unwatchDoorbells();
            context.untrap();
            context.claim(VfRegister.always());
        }
    }

    /// Whole words are looked at; a register that is written in part has a value that only the device knows.
    @Override
    void wrote(long offset, MemorySegment buffer, long bufferOffset, int count) {
        long word = offset & -Integer.BYTES;
        if (word != offset || count % Integer.BYTES != 0) {
            synchronized (lock) {
                if (log.isPresent()) {
                    turnBlind("offset=0x%x count=0x%x expected=words".formatted(offset, count));
                }
            }
            return;
        }
        for (int done = 0; done < count; done += Integer.BYTES) {
            doorbell(VfRegister.BAR, offset + done, buffer.get(DWORD, bufferOffset + done));
        }
    }

    /// A register is going to have a new value. On any thread, the function's own among them.
    void doorbell(int bar, long offset, int value) {
        if (bar != VfRegister.BAR) {
            return;
        }
        if (!VfRegister.QRX_TAIL1.isWhole(offset, Integer.BYTES)) {
            MailboxRegister.at(offset).ifPresent(register -> wroteMailbox(register, value));
            return;
        }
        synchronized (lock) {
            if (log.isPresent()) {
                try {
                    queues.orElseThrow().rung(VfRegister.QRX_TAIL1.index(offset), value);
                } catch (VfioException e) {
                    turnBlind(e.getMessage());
                }
            }
        }
    }

    private void wroteMailbox(MailboxRegister register, int value) {
        synchronized (mailboxOrder) {
            if (log.isEmpty()) {
                return;
            }
            try {
                MailboxRing ring = sight.mailbox(register, value);
                synchronized (lock) {
                    if (log.isPresent() && (!mailbox.orElseThrow().wrote(register, ring, report, log.get())
                        || queues.orElseThrow().overflowed())) {
                        turnBlind("more rings than are followed");
                    }
                }
            } catch (VfioException e) {
                synchronized (lock) {
                    turnBlind(e.getMessage());
                }
            }
        }
    }

    /// From now on everything is marked: what the device was given is not known.
    private void turnBlind(String why) {
        if (!blind) {
            blind = true;
            log.ifPresent(to -> to.markEverything(true));
            LOG.log(Level.WARNING, "{0}: dirty-tracking=doorbell-trap marks everything from now on: {1}", device, why);
        }
    }

    /// Whether it marks everything.
    boolean blind() {
        synchronized (lock) {
            return blind;
        }
    }
}
