// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;

/**
 * Counts who comes, and who comes or is inside when nobody may be. Claims the mailbox and reset registers of an XL710's VF; what a
 * subclass does not override passes through.
 */
abstract class WatchedMediation extends Mediation {
    private static final long FIRST = 0x6000;
    private static final long END = 0x8804;

    private final Setting setting;
    private final AtomicLong inside;
    private final AtomicLong entered;
    private final AtomicLong late;
    private final AtomicLong gone;
    private final AtomicLong insideThis = new AtomicLong();
    private volatile boolean closed;

    WatchedMediation(Setting setting) {
        this.setting = setting;
        this.inside = setting.number(Setting.INSIDE);
        this.entered = setting.number(Setting.ENTERED);
        this.late = setting.number(Setting.LATE);
        this.gone = setting.number(Setting.GONE);
    }

    Setting setting() {
        return setting;
    }

    @Override
    public List<Claim> claims() {
        return List.of(Claim.of(RegionIndex.BAR0, FIRST, END - FIRST));
    }

    @Override
    public final Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        enter();
        try {
            return onRead(region, offset, buffer, bufferOffset, count);
        } finally {
            leave();
        }
    }

    @Override
    public final Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        enter();
        try {
            return onWrite(region, offset, buffer, bufferOffset, count);
        } finally {
            leave();
        }
    }

    Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return Verdict.PASS_THROUGH;
    }

    Verdict onWrite(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return Verdict.PASS_THROUGH;
    }

    /** For a subclass that is called in another way. */
    final void called() {
        entered.incrementAndGet();
        lookIfLate();
    }

    private void enter() {
        insideThis.incrementAndGet();
        inside.incrementAndGet();
        entered.incrementAndGet();
        lookIfLate();
    }

    private void leave() {
        lookIfLate();
        inside.decrementAndGet();
        insideThis.decrementAndGet();
    }

    private void lookIfLate() {
        if (closed || gone.get() > 0) {
            late.incrementAndGet();
        }
    }

    @Override
    public final void close() {
        if (closed || insideThis.get() > 0) {
            late.incrementAndGet();
        }
        closed = true;
        setting.number(Setting.CLOSED).incrementAndGet();
    }
}
