// SPDX-License-Identifier: Apache-2.0
package bench.vendor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;

/// Watches two registers of BAR 0: one it leaves to the device, one it answers itself.
final class RegisterMediation extends Mediation {
    private static final int BAR = 0;
    private static final int WATCHED = 0x4000;
    private static final int OWN = 0x4800;
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private volatile int own = 0x0BB1_7C0D;

    @Override
    public List<Claim> claims() {
        return List.of(Claim.of(BAR, WATCHED, 4), Claim.of(BAR, OWN, 4));
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return switch ((int) offset) {
            case OWN -> {
                buffer.set(DWORD, bufferOffset, own);
                yield Verdict.HANDLED;
            }
            default -> Verdict.PASS_THROUGH;
        };
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return switch ((int) offset) {
            case OWN -> {
                own = buffer.get(DWORD, bufferOffset);
                yield Verdict.HANDLED;
            }
            default -> Verdict.PASS_THROUGH;
        };
    }
}
