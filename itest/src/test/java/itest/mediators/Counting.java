// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/**
 * Answers reads of VFGEN_RSTAT with 1, 2, 3 and so on; how far it is, is its state, which it saves and loads. Its answer says what it does
 * wrong when it is to load.
 */
public final class Counting extends Mediator {
    /** Does all right. */
    public static final int RIGHT = 0;
    /** Refuses to load. */
    public static final int REFUSES = 1;
    /** Throws what it must not. */
    public static final int THROWS = 2;
    /** Does not return for ten seconds, whoever interrupts it. */
    public static final int HANGS = 3;
    /** Makes something else of the state. */
    public static final int CORRUPTS = 4;

    private static final int BYTES = 4;

    public Counting(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Count(setting()));
    }

    private static final class Count extends WatchedMediation {
        private final AtomicInteger count = new AtomicInteger();
        private boolean corrupt;

        Count(Setting setting) {
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
        public Optional<MigrationDriver> migration() {
            return Optional.of(new Driver());
        }

        private void goWrong() throws VfioException {
            switch (setting().answer()) {
                case REFUSES -> throw new VfioException(Errno.EINVAL, "state=strange expected=another one");
                case THROWS -> throw new IllegalStateException("a bug");
                case HANGS -> {
                    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
                    while (System.nanoTime() - end < 0) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                        Thread.interrupted();
                    }
                }
                case CORRUPTS -> corrupt = true;
                default -> { }
            }
        }

        private final class Driver extends MigrationDriver {
            @Override
            public StateVersion version() {
                return new StateVersion(1, 0);
            }

            @Override
            public long stateSize() {
                return BYTES;
            }

            @Override
            public void stop() {
                // It counts when it is asked, and nobody asks meanwhile.
            }

            @Override
            public void start() {
                // As above.
            }

            @Override
            public List<StateSection> save() {
                byte[] state = new byte[corrupt ? 1 : BYTES];
                if (!corrupt) {
                    MemorySegment.ofArray(state).set(Answering.REGISTER, 0, count.get());
                }
                return List.of(new StateSection("count", 1, state));
            }

            @Override
            public void load(StateVersion version, List<StateSection> sections) throws VfioException {
                goWrong();
                count.set(MemorySegment.ofArray(sections.getFirst().data()).get(Answering.REGISTER, 0));
            }
        }
    }
}
