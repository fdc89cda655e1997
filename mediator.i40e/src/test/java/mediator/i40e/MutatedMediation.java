// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// A mediation with something between its dirty tracking and the core's log.
final class MutatedMediation extends Mediation {
    private final Mediation real;
    private final UnaryOperator<DirtyLog> mutation;

    MutatedMediation(Mediation real, UnaryOperator<DirtyLog> mutation) {
        this.real = real;
        this.mutation = mutation;
    }

    @Override
    public Set<Capability> capabilities() {
        return real.capabilities();
    }

    @Override
    public List<Claim> claims() {
        return real.claims();
    }

    @Override
    public RegionInfo regionInfo(RegionInfo defaults) {
        return real.regionInfo(defaults);
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return real.read(region, offset, buffer, bufferOffset, count);
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return real.write(region, offset, buffer, bufferOffset, count);
    }

    @Override
    public Optional<MigrationDriver> migration() {
        return real.migration().map(Mutated::new);
    }

    @Override
    public boolean relaysInterrupts() {
        return real.relaysInterrupts();
    }

    @Override
    public void interrupt(InterruptKind kind, int vector) {
        real.interrupt(kind, vector);
    }

    @Override
    public void reset() throws VfioException {
        real.reset();
    }

    @Override
    public void close() {
        real.close();
    }

    private final class Mutated extends MigrationDriver {
        private final MigrationDriver driver;
        private DirtyLog seen;

        Mutated(MigrationDriver driver) {
            this.driver = driver;
        }

        @Override
        public StateVersion version() {
            return driver.version();
        }

        @Override
        public long stateSize() throws VfioException {
            return driver.stateSize();
        }

        @Override
        public void stop() throws VfioException {
            driver.stop();
        }

        @Override
        public void start() throws VfioException {
            driver.start();
        }

        @Override
        public List<StateSection> save() throws VfioException {
            return driver.save();
        }

        @Override
        public void load(StateVersion version, List<StateSection> sections) throws VfioException {
            driver.load(version, sections);
        }

        @Override
        public void beginTracking(DirtyLog log) throws VfioException {
            seen = mutation.apply(log);
            driver.beginTracking(seen);
        }

        @Override
        public void collect(DirtyLog log) throws VfioException {
            driver.collect(seen);
        }

        @Override
        public void endTracking() {
            driver.endTracking();
        }
    }
}
