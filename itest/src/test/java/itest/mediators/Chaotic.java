// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/**
 * A mediator of devices that count what is done to them, for each client thread in {@link #STRIDE} bytes of their own. Each time its
 * bundle starts it has another number, its incarnation, which it leaves in what it answers and passes on. What else it does is said by its
 * answer: the sum of {@link #TAGS} and others, and the milliseconds that a visitor stays, times {@link #STAY}.
 */
public final class Chaotic extends Mediator {
    /** Bytes of a client thread, in BAR 0. */
    public static final int STRIDE = 0x40;
    /** Client threads of a device. */
    public static final int THREADS = 8;
    /** Eight bytes: what is written is counted up by one; what is read is what was written last. */
    public static final int WRITTEN = 0x00;
    /** Eight bytes: reads 1, 2, 3 and so on. */
    public static final int TAKEN = 0x08;
    /** Eight bytes: the mediator's incarnation, 0 of a device without one. */
    public static final int WHO = 0x10;
    /** Eight bytes: the number of a state above the counted reads in that state, 0 of a device without one. */
    public static final int STATE = 0x18;
    /** An incarnation or a state's number stands above these bits. */
    public static final int COUNT_BITS = 40;

    /** Does what is counted itself, by what is below, and leaves its incarnation there. */
    public static final int TAGS = 1;
    /** Keeps one visitor in each mediation for a moment. */
    public static final int STAYS = 2;
    /** Changes its claims now and then. */
    public static final int MOVES = 4;
    /** Has a state, which can be moved. */
    public static final int KEEPS = 8;
    /** Keeps a visitor until its bundle stops, and then for a moment. */
    public static final int STAYS_UNTIL_STOPPED = 16;
    /** Times the milliseconds of a moment. */
    public static final int STAY = 0x100;

    /** Added to a mediator's name, the number of its last incarnation. */
    public static final String INCARNATION = "incarnation";
    /** Before a device's address: visitors so far that stayed in it until the bundle stopped. */
    public static final String STAYING = "staying ";
    /** Its mediations so far. */
    public static final String MADE = "made";

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(10);
    private static final long NAP_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
    private static final int VISITS_BETWEEN_MOVES = 64;
    private static final List<Claim> ALL = List.of(Claim.of(RegionIndex.BAR0, 0, (long) THREADS * STRIDE));

    private final long incarnation;
    private final long stopsBefore;

    public Chaotic(Setting setting) {
        super(setting);
        incarnation = setting.board().number(INCARNATION).incrementAndGet();
        setting.number(INCARNATION).set(incarnation);
        stopsBefore = setting.number(Setting.STOPPING).get();
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        setting().number(MADE).incrementAndGet();
        return Optional.of(new Tagged(setting(), context, incarnation, stopsBefore, setting().number(STAYING + function.address())));
    }

    /** All, or of the upper half of the threads only what tells who mediates. */
    private static List<Claim> claims(long which) {
        if (which % 2 == 0) {
            return ALL;
        }
        List<Claim> claims = new ArrayList<>(List.of(Claim.of(RegionIndex.BAR0, 0, (long) THREADS * STRIDE / 2)));
        for (int thread = THREADS / 2; thread < THREADS; thread++) {
            claims.add(Claim.of(RegionIndex.BAR0, (long) thread * STRIDE + WHO, STATE + WORD.byteSize() - WHO));
        }
        return claims;
    }

    private static final class Tagged extends WatchedMediation {
        private final MediationContext context;
        private final long tag;
        private final int does;
        private final AtomicLong stopping;
        private final long stopsBefore;
        private final AtomicLong staying;
        private final AtomicBoolean kept = new AtomicBoolean();
        private final AtomicLong visits = new AtomicLong();
        private final Kept state;

        Tagged(Setting setting, MediationContext context, long incarnation, long stopsBefore, AtomicLong staying) {
            super(setting);
            this.context = context;
            this.tag = incarnation << COUNT_BITS;
            this.does = setting.answer();
            this.stopping = setting.number(Setting.STOPPING);
            this.stopsBefore = stopsBefore;
            this.staying = staying;
            this.state = new Kept(setting.board().number("state numbers"));
        }

        private boolean does(int what) {
            return (does & what) != 0;
        }

        @Override
        public List<Claim> claims() {
            return ALL;
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            visit();
            int register = (int) (offset % STRIDE);
            if (register == WHO) {
                buffer.set(WORD, bufferOffset, tag >>> COUNT_BITS);
                return Verdict.HANDLED;
            }
            if (register == STATE && does(KEEPS)) {
                buffer.set(WORD, bufferOffset, state.read((int) (offset / STRIDE)));
                return Verdict.HANDLED;
            }
            if (register == TAKEN && does(TAGS)) {
                context.readBelow(region, offset, buffer, bufferOffset, count);
                buffer.set(WORD, bufferOffset, buffer.get(WORD, bufferOffset) | tag);
                return Verdict.HANDLED;
            }
            return Verdict.PASS_THROUGH;
        }

        @Override
        Verdict onWrite(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            visit();
            if (!does(TAGS)) {
                return Verdict.PASS_THROUGH;
            }
            long value = buffer.get(WORD, bufferOffset);
            buffer.set(WORD, bufferOffset, value | tag);
            context.writeBelow(region, offset, buffer, bufferOffset, count);
            return Verdict.HANDLED;
        }

        private void visit() {
            long number = visits.incrementAndGet();
            if (does(MOVES) && number % VISITS_BETWEEN_MOVES == 0) {
                context.claim(Chaotic.claims(number / VISITS_BETWEEN_MOVES));
            }
            if (does(STAYS | STAYS_UNTIL_STOPPED) && kept.compareAndSet(false, true)) {
                if (does(STAYS_UNTIL_STOPPED)) {
                    staying.incrementAndGet();
                    awaitStop();
                }
                stay(TimeUnit.MILLISECONDS.toNanos(does / STAY));
            }
        }

        private void awaitStop() {
            long begin = System.nanoTime();
            while (stopping.get() == stopsBefore && System.nanoTime() - begin < LONGEST_NANOS) {
                LockSupport.parkNanos(NAP_NANOS);
            }
        }

        private static void stay(long nanos) {
            long begin = System.nanoTime();
            while (System.nanoTime() - begin < nanos) {
                LockSupport.parkNanos(NAP_NANOS);
            }
        }

        @Override
        public boolean stateless() {
            return !does(KEEPS);
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return does(KEEPS) ? Optional.of(new Driver(this, state)) : Optional.empty();
        }
    }

    /** A state: for each client thread how many reads were counted in it. */
    private static final class Kept {
        private final AtomicLongArray counts = new AtomicLongArray(THREADS);
        private volatile long number;

        Kept(AtomicLong numbers) {
            number = numbers.incrementAndGet();
        }

        long read(int thread) {
            return number << COUNT_BITS | counts.incrementAndGet(thread);
        }

        byte[] save() {
            MemorySegment saved = MemorySegment.ofArray(new long[THREADS + 1]);
            for (int i = 0; i < THREADS; i++) {
                saved.setAtIndex(WORD, i, counts.get(i));
            }
            saved.setAtIndex(WORD, THREADS, number);
            return saved.toArray(ValueLayout.JAVA_BYTE);
        }

        void load(byte[] data) {
            MemorySegment saved = MemorySegment.ofArray(data);
            for (int i = 0; i < THREADS; i++) {
                counts.set(i, saved.getAtIndex(WORD, i));
            }
            number = saved.getAtIndex(WORD, THREADS);
        }
    }

    private static final class Driver extends MigrationDriver {
        private final Tagged mediation;
        private final Kept state;

        Driver(Tagged mediation, Kept state) {
            this.mediation = mediation;
            this.state = state;
        }

        @Override
        public StateVersion version() {
            return new StateVersion(1, 0);
        }

        @Override
        public long stateSize() {
            return (THREADS + 1) * WORD.byteSize();
        }

        @Override
        public void stop() {
            mediation.called();
        }

        @Override
        public void start() {
            mediation.called();
        }

        @Override
        public List<StateSection> save() {
            mediation.called();
            return List.of(new StateSection("reads", 1, state.save()));
        }

        @Override
        public void load(StateVersion version, List<StateSection> sections) {
            mediation.called();
            state.load(sections.getFirst().data());
        }

        /** Those of the others are alike. */
        @Override
        public Optional<List<StateSection>> convert(String mediator, StateVersion version, List<StateSection> sections) {
            return Optional.of(sections);
        }
    }
}
