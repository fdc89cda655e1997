// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/** Answers reads of VFGEN_RSTAT itself, with a number by which a client knows it. */
public final class Answering extends Mediator {
    static final long VFGEN_RSTAT = 0x8800;
    static final ValueLayout.OfInt REGISTER = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Answering(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Answer(setting()));
    }

    /** Answers that. */
    static final class Answer extends WatchedMediation {
        Answer(Setting setting) {
            super(setting);
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            if (offset != VFGEN_RSTAT) {
                return Verdict.PASS_THROUGH;
            }
            buffer.set(REGISTER, bufferOffset, setting().answer());
            return Verdict.HANDLED;
        }
    }
}
