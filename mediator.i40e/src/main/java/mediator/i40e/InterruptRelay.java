// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.DirtyLog;

/// Strategy `interrupt-relay`: nothing is trapped. Each interrupt of the device comes here before the guest has it, and the rings are
/// looked at: what is done since the last time was written. They are looked at once more for each report. Transmit rings and the mailbox's
/// are in every report as a whole.
///
/// Assumes of the guest that between two looks no descriptor is handed over and done, and none of its rings is exchanged: that it takes
/// every interrupt, never looks at a ring without one, and gives a queue no other ring. **No driver keeps to that**: they look on while
/// there is traffic, with interrupts off. What is handed over and done meanwhile has its buffer's address written over, and its page is
/// missed. For experiments only.
///
/// Registers are read before the lock is taken: an interrupt comes with locks held that they need.
final class InterruptRelay extends DirtyTracking {
    private static final Logger LOG = System.getLogger(InterruptRelay.class.getName());
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int PAIRS = 4;
    private static final int TRANSMIT_DESCRIPTOR = 16;
    private static final int TAIL_MASK = 0x1FFF;
    private static final int DATALEN = 4;
    private static final int ADDRESS_HIGH = 24;
    private static final int ADDRESS_LOW = 28;

    private final PciAddress device;
    private final MediationContext context;
    private final VfSight sight;
    private final Object lock = new Object();
    private final RelayedRing[] rings = new RelayedRing[PAIRS];
    private volatile Optional<DirtyLog> log = Optional.empty();
    private Optional<Descriptors> descriptors = Optional.empty();

    InterruptRelay(PciAddress device, MediationContext context, VfSight sight) {
        this.device = device;
        this.context = context;
        this.sight = sight;
    }

    @Override
    boolean relaysInterrupts() {
        return true;
    }

    @Override
    void begin(DirtyLog started) throws VfioException {
        synchronized (lock) {
            descriptors = Optional.of(new Descriptors(context.guestMemory()));
        }
        log = Optional.of(started);
        collect(started);
    }

    @Override
    void collect(DirtyLog started) throws VfioException {
        DirtyLog to = log.orElse(started);
        List<QueueContext> contexts = sight.queues();
        MailboxRings.Found mailbox = MailboxRings.find(sight);
        synchronized (lock) {
            for (int i = 0; i < PAIRS; i++) {
                RingPlace receive = contexts.get(i).receive();
                if (rings[i] != null && !rings[i].place().equals(receive)) {
                    rings[i].finish(to);
                    rings[i] = null;
                }
                if (rings[i] == null && receive.usable() && contexts.get(i).receiving()) {
                    rings[i] = new RelayedRing(receive, contexts.get(i).receiveHead(), descriptors.orElseThrow());
                }
                to.mark(receive.base(), (long) receive.length() * Descriptors.BYTES);
                RingPlace transmit = contexts.get(i).transmit();
                to.mark(transmit.base(), (long) transmit.length() * TRANSMIT_DESCRIPTOR);
            }
            mailbox(mailbox.transmit(), false, to);
            mailbox(mailbox.receive(), true, to);
        }
        interrupted();
    }

    /// Its rings are short: all of them and all buffers.
    private void mailbox(MailboxRing ring, boolean receive, DirtyLog to) throws VfioException {
        to.mark(ring.base(), (long) ring.length() * Descriptors.BYTES);
        for (int i = 0; receive && i < ring.length(); i++) {
            Descriptors one = descriptors.orElseThrow();
            one.read(ring.base() + (long) i * Descriptors.BYTES, Descriptors.BYTES);
            to.mark((long) one.dword(ADDRESS_HIGH) << Integer.SIZE | Integer.toUnsignedLong(one.dword(ADDRESS_LOW)),
                Math.max(one.word(DATALEN), Descriptors.MOST));
        }
    }

    @Override
    void interrupted() {
        Optional<DirtyLog> to = log;
        if (to.isEmpty()) {
            return;
        }
        try {
            int[] tails = new int[PAIRS];
            MemorySegment word = MemorySegment.ofArray(new int[1]);
            for (int i = 0; i < PAIRS; i++) {
                context.readBelow(VfRegister.BAR, VfRegister.QRX_TAIL1.offset(i), word, 0, Integer.BYTES);
                tails[i] = word.get(DWORD, 0) & TAIL_MASK;
            }
            synchronized (lock) {
                for (int i = 0; i < PAIRS; i++) {
                    if (rings[i] != null) {
                        rings[i].look(tails[i], to.get());
                    }
                }
            }
        } catch (VfioException e) {
            LOG.log(Level.DEBUG, "{0}: dirty-tracking=interrupt-relay: {1}", device, e.getMessage());
        }
    }

    @Override
    void end() {
        log = Optional.empty();
        synchronized (lock) {
            for (int i = 0; i < PAIRS; i++) {
                if (rings[i] != null && rings[i].lost() > 0) {
                    LOG.log(Level.WARNING, "{0}: dirty-tracking=interrupt-relay did not see where {1} buffers of queue {2} were", device,
                        rings[i].lost(), i);
                }
                rings[i] = null;
            }
        }
    }
}
