// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.List;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// The rings of a virtual function's queue pairs, as the device has them and as virtchnl messages on their way to it describe them
/// (`virtchnl.h`, `struct virtchnl_vsi_queue_config_info` and `struct virtchnl_queue_select`). Guarded by its owner.
final class QueueRings implements MailboxRings.Messages {
    private static final int PAIRS = VfRegister.QRX_TAIL1.count();
    private static final int TRANSMIT_DESCRIPTOR = 16;

    private static final int RESET_VF = 2;
    private static final int CONFIG_VSI_QUEUES = 6;
    private static final int ENABLE_QUEUES = 8;
    private static final int REQUEST_QUEUES = 29;

    private static final int COUNT = 2;
    private static final int LIST = 8;
    private static final int PAIR = 64;
    private static final int QUEUE = 2;
    private static final int TX_LENGTH = 4;
    private static final int TX_BASE = 8;
    private static final int RX_LENGTH = 24 + 4;
    private static final int RX_BUFFER = 24 + 12;
    private static final int RX_BASE = 24 + 24;
    private static final int RX_BITS = 4;
    private static final int TX_BITS = 8;
    private static final int SELECTION = 12;

    private final Descriptors descriptors;
    private final IntSupplier now;
    private final DirtyLog log;
    private final ReceiveRings[] receive;
    private final TransmitRings[] transmit;
    private boolean overflowed;

    /// @param now number of the report that was begun last
    QueueRings(Descriptors descriptors, IntSupplier now, DirtyLog log) {
        this.descriptors = descriptors;
        this.now = now;
        this.log = log;
        receive = Stream.generate(() -> new ReceiveRings(descriptors)).limit(PAIRS).toArray(ReceiveRings[]::new);
        transmit = Stream.generate(() -> new TransmitRings(TRANSMIT_DESCRIPTOR)).limit(PAIRS).toArray(TransmitRings[]::new);
    }

    /// Takes in what the device has.
    ///
    /// @return false for rings that are not followed
    /// @throws VfioException when the guest's memory cannot be read
    boolean begin(List<QueueContext> contexts) throws VfioException {
        for (int i = 0; i < contexts.size(); i++) {
            QueueContext context = contexts.get(i);
            if (context.transmit().usable()) {
                transmit[i].add(context.transmit(), now.getAsInt());
            }
            if (context.receive().usable()) {
                receive[i].has(context, now.getAsInt(), log);
            }
        }
        return !overflowed;
    }

    /// Whether a driver described more rings at a time than are followed.
    boolean overflowed() {
        return overflowed;
    }

    /// The tail of each receive queue.
    int[] tails() {
        return IntStream.range(0, PAIRS).map(i -> receive[i].tail()).toArray();
    }

    /// The tail of a receive queue is going to be this.
    ///
    /// @throws VfioException when the guest's memory cannot be read
    void rung(int queue, int value) throws VfioException {
        receive[queue].rung(value, now.getAsInt(), log);
    }

    @Override
    public void startsOver() {
        for (ReceiveRings each : receive) {
            each.forgetTail();
        }
    }

    @Override
    public void sent(int opcode, long address, int length) throws VfioException {
        switch (opcode) {
            case RESET_VF, REQUEST_QUEUES -> startsOver();
            case CONFIG_VSI_QUEUES -> {
                descriptors.read(address, length);
                configured(length);
            }
            case ENABLE_QUEUES -> {
                if (length >= SELECTION) {
                    descriptors.read(address, SELECTION);
                    enabling(descriptors.dword(RX_BITS), descriptors.dword(TX_BITS));
                }
            }
            default -> { }
        }
    }

    private void configured(int length) {
        int count = length < LIST ? 0 : Math.min(descriptors.word(COUNT), (length - LIST) / PAIR);
        for (int i = 0; i < count; i++) {
            int at = LIST + i * PAIR;
            int queue = descriptors.word(at + QUEUE);
            if (queue >= PAIRS) {
                continue;
            }
            RingPlace sends = new RingPlace(descriptors.quad(at + TX_BASE), descriptors.word(at + TX_LENGTH), 0);
            RingPlace receives = new RingPlace(descriptors.quad(at + RX_BASE), descriptors.dword(at + RX_LENGTH),
                descriptors.dword(at + RX_BUFFER));
            overflowed |= sends.usable() && !transmit[queue].add(sends, now.getAsInt());
            overflowed |= receives.usable() && receives.bufferBytes() > 0 && !receive[queue].add(receives, now.getAsInt());
        }
    }

    private void enabling(int receiveBits, int transmitBits) throws VfioException {
        for (int i = 0; i < PAIRS; i++) {
            if ((transmitBits & 1 << i) != 0) {
                transmit[i].enabling(now.getAsInt());
            }
            if ((receiveBits & 1 << i) != 0) {
                receive[i].enabling(now.getAsInt(), log);
            }
        }
    }

    /// Marks what may have been written, and lets go what is complete.
    ///
    /// @param tails those of when the report was begun
    /// @return false when the device uses a ring that nobody told of
    boolean collect(List<QueueContext> contexts, int[] tails, boolean settled, int time) {
        boolean known = true;
        for (int i = 0; i < contexts.size(); i++) {
            QueueContext context = contexts.get(i);
            known &= transmit[i].collect(context.transmit(), context.transmitting(), settled, time, log);
            known &= receive[i].collect(context, tails[i], settled, time, log);
        }
        return known;
    }
}
