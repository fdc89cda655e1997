// SPDX-License-Identifier: Apache-2.0
package bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceAdmin;

/// The benchmark in Felix does what it says it measures; it needs the bundles that were packed.
class RuntimeBodiesIT {
    private static final int VFACTIVE = 2;

    @Test
    void readsGoWhereTheirNamesSay() throws VfioException {
        RuntimeBench bench = new RuntimeBench();
        OnCpu clock = new OnCpu();
        bench.open();
        try {
            clock.start();
            DeviceAdmin admin = bench.admin();
            PciAddress address = PciAddress.parse("0000:3b:02.1");
            AccessStats before = admin.stats(address);
            assertThat(bench.direct(clock)).isZero();
            assertThat(bench.unmediated(clock)).isZero();
            assertThat(bench.unclaimed(clock)).isZero();
            assertThat(bench.passedThrough(clock)).isZero();
            assertThat(bench.handled(clock)).isEqualTo(VFACTIVE);
            AccessStats after = admin.stats(address);
            assertThat(after.mediated() - before.mediated()).isEqualTo(2);
            assertThat(after.passedThrough() - before.passedThrough()).isEqualTo(1);
        } finally {
            bench.close();
        }
    }

    @Test
    void accessesAllocateNothing() throws VfioException {
        assertThat(AllocationCheck.runInFelix(200_000)).isZero();
    }

    @Test
    void movesAState() throws VfioException {
        StateMove.Result moved = StateMove.measure(2);
        assertThat(moved.bytes()).isGreaterThan(0x100);
        assertThat(moved.save()).hasSize(2).doesNotContain(0);
        assertThat(moved.load()).hasSize(2).doesNotContain(0);
    }
}
