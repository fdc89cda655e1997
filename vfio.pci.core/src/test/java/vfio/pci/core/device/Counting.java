// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// Counts reads of a register; the count is its state. Each version has its own ways to fail.
final class Counting extends Mediation {
    static final long REGISTER = 0x5000;

    final AtomicInteger count = new AtomicInteger();
    final AtomicInteger closes = new AtomicInteger();
    final AtomicInteger starts = new AtomicInteger();
    final CountDownLatch end = new CountDownLatch(1);
    final int major;
    volatile boolean stopped;
    volatile String failing = "";
    volatile boolean refusing;

    Counting(int major) {
        this.major = major;
    }

    Counting failing(String how) {
        failing = how;
        return this;
    }

    private void at(String place) throws VfioException {
        if (failing.equals("refuses in " + place)) {
            throw new VfioException(Errno.EINVAL, "no " + place);
        }
        if (failing.equals("throws in " + place)) {
            throw new IllegalStateException("a bug in " + place);
        }
        if (failing.equals("hangs in " + place)) {
            boolean done = false;
            while (!done) {
                try {
                    end.await();
                    done = true;
                } catch (InterruptedException e) {
                    // As a stuck one does not.
                }
            }
        }
    }

    @Override
    public List<Claim> claims() {
        return List.of(Claim.of(0, REGISTER, 4));
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int bytes) {
        if (stopped) {
            throw new IllegalStateException("read while it stands still");
        }
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset, count.incrementAndGet());
        return Verdict.HANDLED;
    }

    @Override
    public Optional<MigrationDriver> migration() {
        return Optional.of(new Driver());
    }

    @Override
    public boolean stateless() {
        return failing.equals("is stateless");
    }

    @Override
    public void close() {
        closes.incrementAndGet();
        try {
            at("close");
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
    }

    private final class Driver extends MigrationDriver {
        @Override
        public StateVersion version() {
            return new StateVersion(major, 0);
        }

        @Override
        public long stateSize() {
            return 4;
        }

        @Override
        public void stop() throws VfioException {
            at("stop");
            stopped = true;
        }

        @Override
        public void start() throws VfioException {
            at("start");
            stopped = false;
            starts.incrementAndGet();
        }

        @Override
        public List<StateSection> save() throws VfioException {
            at("save");
            byte[] data = new byte[failing.equals("corrupts") ? 1 : 4];
            for (int i = 0; i < data.length; i++) {
                data[i] = (byte) (count.get() >> 8 * i);
            }
            return List.of(new StateSection("count", major, data));
        }

        @Override
        public void load(StateVersion version, List<StateSection> sections) throws VfioException {
            if (!failing.isEmpty()) {
                // What it is given is its own.
                byte[] data = sections.getFirst().data().clone();
                Arrays.fill(sections.getFirst().data(), (byte) 0x55);
                System.arraycopy(failing.equals("converts") ? data : sections.getFirst().data(), 0, sections.getFirst().data(), 0,
                    data.length);
            }
            at("load");
            if (refusing || version.major() > major || sections.getFirst().version() != version.major()) {
                throw new VfioException(Errno.EINVAL, "state version=" + version);
            }
            count.set(MemorySegment.ofArray(sections.getFirst().data()).get(ValueLayout.JAVA_INT_UNALIGNED, 0));
        }

        @Override
        public Optional<List<StateSection>> convert(String mediator, StateVersion version, List<StateSection> sections) {
            return failing.equals("converts")
                ? Optional.of(List.of(new StateSection("count", major, sections.getFirst().data()))) : Optional.empty();
        }

        @Override
        public Map<String, String> configuration() {
            return Map.of();
        }
    }
}
