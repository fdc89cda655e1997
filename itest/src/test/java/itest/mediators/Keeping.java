// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/** Answers reads of VFGEN_RSTAT with 1, 2, 3 and so on, and hands over how far it is. */
public final class Keeping extends Mediator {
    public Keeping(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) throws VfioException {
        return Optional.of(new Kept(setting()));
    }

    private static final class Kept extends WatchedMediation {
        private final AtomicInteger count = new AtomicInteger();

        Kept(Setting setting) {
            super(setting);
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int bytes) {
            if (offset != Answering.VFGEN_RSTAT) {
                return Verdict.PASS_THROUGH;
            }
            buffer.set(Answering.REGISTER, bufferOffset, count.incrementAndGet());
            return Verdict.HANDLED;
        }

        @Override
        public Optional<Handover> handover() {
            return Optional.of(new Handover() {
                @Override
                public StateVersion version() {
                    return new StateVersion(1, 0);
                }

                @Override
                public List<StateSection> save() {
                    byte[] state = new byte[Integer.BYTES];
                    MemorySegment.ofArray(state).set(Answering.REGISTER, 0, count.get());
                    return List.of(new StateSection("count", 1, state));
                }

                @Override
                public void load(String mediator, StateVersion version, List<StateSection> sections) {
                    count.set(MemorySegment.ofArray(sections.getFirst().data()).get(Answering.REGISTER, 0));
                }
            });
        }
    }
}
