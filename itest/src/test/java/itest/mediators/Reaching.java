// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/** Answers VFGEN_RSTAT with what is in the guest's memory at {@link #WHERE}. */
public final class Reaching extends Mediator {
    /** The address. */
    public static final long WHERE = 0x8000;

    public Reaching(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Reach(setting(), context));
    }

    private static final class Reach extends WatchedMediation {
        private final MediationContext context;

        Reach(Setting setting, MediationContext context) {
            super(setting);
            this.context = context;
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            if (offset != Answering.VFGEN_RSTAT) {
                return Verdict.PASS_THROUGH;
            }
            context.guestMemory().read(WHERE, buffer, bufferOffset, count);
            return Verdict.HANDLED;
        }
    }
}
