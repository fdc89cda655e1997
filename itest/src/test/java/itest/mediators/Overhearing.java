// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/** Watches the doorbells of an XL710's VF from the first read of VFGEN_RSTAT that finds the board to have {@link #WATCHING}. */
public final class Overhearing extends Mediator {
    /** Whether a device is to be watched, by its address. */
    public static final String WATCHING = "watching";
    /** How often the first transmit queue's tail was told, and its value, by the device's address. */
    public static final String SENT = "sent";
    public static final String SENT_TAIL = "sent-tail";
    /** How often the first receive queue's tail was told, by the device's address. */
    public static final String RECEIVED = "received";
    /** QTX_TAIL1(0). */
    public static final int QTX_TAIL = 0x0000;
    /** QRX_TAIL1(0). */
    public static final int QRX_TAIL = 0x2000;

    public Overhearing(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Overhear(setting(), function.address().toString(), context));
    }

    private static final class Overhear extends WatchedMediation implements DoorbellTap {
        private final MediationContext context;
        private final AtomicLong watching;
        private final AtomicLong sent;
        private final AtomicLong sentTail;
        private final AtomicLong received;

        Overhear(Setting setting, String address, MediationContext context) {
            super(setting);
            this.context = context;
            this.watching = setting.board().number(WATCHING, address);
            this.sent = setting.board().number(SENT, address);
            this.sentTail = setting.board().number(SENT_TAIL, address);
            this.received = setting.board().number(RECEIVED, address);
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            if (offset == Answering.VFGEN_RSTAT && watching.compareAndSet(1, 2)) {
                context.watchDoorbells(this);
            }
            return Verdict.PASS_THROUGH;
        }

        @Override
        public void doorbell(int bar, long offset, int value) {
            called();
            if (offset == QTX_TAIL) {
                sentTail.set(value);
                sent.incrementAndGet();
            } else if (offset == QRX_TAIL) {
                received.incrementAndGet();
            }
        }
    }
}
