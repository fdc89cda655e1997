// SPDX-License-Identifier: Apache-2.0
package bench.vendor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// Answers one register with a count of its reads, which is the first of 8 KiB of state: about what a virtual function has.
public final class MovableMediator implements MediateOps {
    private static final int REGISTER = 0x4800;
    private static final int STATE = 0x2000;

    /// For the benchmark.
    public MovableMediator() {
    }

    @Override
    public String name() {
        return "movable";
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) {
        return Optional.of(new Counting());
    }

    private static final class Counting extends Mediation {
        private byte[] state = new byte[STATE];
        private MemorySegment memory = MemorySegment.ofArray(state);

        @Override
        public List<Claim> claims() {
            return List.of(Claim.of(0, REGISTER, 4));
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            int now = memory.get(ValueLayout.JAVA_INT_UNALIGNED, 0) + 1;
            memory.set(ValueLayout.JAVA_INT_UNALIGNED, 0, now);
            buffer.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset, now);
            return Verdict.HANDLED;
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return Optional.of(new Driver());
        }

        private final class Driver extends MigrationDriver {
            @Override
            public StateVersion version() {
                return new StateVersion(1, 0);
            }

            @Override
            public long stateSize() {
                return STATE;
            }

            @Override
            public void stop() {
                // Nothing runs by itself.
            }

            @Override
            public void start() {
                // As above.
            }

            @Override
            public List<StateSection> save() {
                return List.of(new StateSection("state", 1, state.clone()));
            }

            @Override
            public void load(StateVersion version, List<StateSection> sections) {
                state = sections.getFirst().data();
                memory = MemorySegment.ofArray(state);
            }
        }
    }
}
