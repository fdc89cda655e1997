// SPDX-License-Identifier: Apache-2.0
package example.mediator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;

/// What happens to one open device: doorbells are counted on their way, two registers that the device has not are
/// answered, and memory that it could not reach is refused.
final class ExampleMediation extends Mediation {
    static final int BAR0 = 0;
    /// The device's own doorbell.
    static final long TAIL = 0x2030;
    /// Reads as [#WHO_VALUE].
    static final long WHO = 0x2FF0;
    static final int WHO_VALUE = 0x6D656469;
    /// Reads as the number of doorbells so far.
    static final long DOORBELLS = 0x2FF4;
    /// The last address that the device can reach.
    static final long HIGHEST = 0xFFFF_FFFFL;

    private static final ValueLayout.OfInt REGISTER = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final AtomicInteger doorbells = new AtomicInteger();

    @Override
    public List<Claim> claims() {
        return List.of(Claim.of(BAR0, TAIL, 4), Claim.of(BAR0, WHO, 8));
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        if (offset < WHO) {
            return Verdict.PASS_THROUGH;
        }
        if (count != 4 || offset % 4 != 0) {
            throw new VfioException(Errno.EINVAL, "offset=0x%x count=%d expected=a whole register".formatted(offset, count));
        }
        buffer.set(REGISTER, bufferOffset, offset == WHO ? WHO_VALUE : doorbells.get());
        return Verdict.HANDLED;
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (offset == TAIL) {
            doorbells.incrementAndGet();
        }
        return Verdict.PASS_THROUGH;
    }

    /// The device has 32 address lines: memory above is nothing it could reach.
    @Override
    public void dmaMap(DmaWindow window) throws VfioException {
        if (Long.compareUnsigned(window.last(), HIGHEST) > 0) {
            throw new VfioException(Errno.EINVAL, "last=0x%x expected=at most 0x%x".formatted(window.last(), HIGHEST));
        }
    }
}
