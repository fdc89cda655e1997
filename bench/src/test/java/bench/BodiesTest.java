// SPDX-License-Identifier: Apache-2.0
package bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.VfioException;

/// Each benchmark does what it says it measures.
class BodiesTest {
    private static final int MEDIATORS = 2;

    private final AccessBench access = new AccessBench();
    private final OnCpu clock = new OnCpu();

    @BeforeEach
    void open() throws VfioException {
        access.mediators = MEDIATORS;
        access.open();
        clock.start();
    }

    @AfterEach
    void close() {
        access.close();
    }

    /// A body that is run once for each device.
    private interface Body {
        int run(OnCpu clock) throws VfioException;
    }

    private void reads(Body body, int value, int mediated, int passed) throws VfioException {
        long mediatedBefore = access.devices().mediatedSoFar();
        long passedBefore = access.devices().passedSoFar();
        for (int i = 0; i < MEDIATORS; i++) {
            assertThat(body.run(clock)).isEqualTo(value);
        }
        assertThat(access.devices().mediatedSoFar() - mediatedBefore).isEqualTo(mediated);
        assertThat(access.devices().passedSoFar() - passedBefore).isEqualTo(passed);
    }

    @Test
    void directReadsPassTheCoreBy() throws VfioException {
        reads(access::direct, OpenDevices.UNCLAIMED_VALUE, 0, 0);
    }

    @Test
    void unmediatedReadsPassThrough() throws VfioException {
        reads(access::unmediated, OpenDevices.UNCLAIMED_VALUE, 0, MEDIATORS);
    }

    @Test
    void unclaimedReadsPassThrough() throws VfioException {
        reads(access::unclaimed, OpenDevices.UNCLAIMED_VALUE, 0, MEDIATORS);
    }

    @Test
    void watchedReadsAreMediatedAndReachTheDevice() throws VfioException {
        reads(access::passedThrough, OpenDevices.WATCHED_VALUE, MEDIATORS, 0);
        reads(access::passedThroughInRuns, OpenDevices.WATCHED_VALUE, MEDIATORS, 0);
    }

    @Test
    void ownReadsAreAnsweredByTheMediation() throws VfioException {
        reads(access::handled, OpenDevices.OWN_VALUE, MEDIATORS, 0);
    }

    @Test
    void eachMediatorIsOfAClassOfItsOwn() {
        assertThat(VendorLoader.mediator().getClass()).isNotSameAs(VendorLoader.mediator().getClass());
    }

    @Test
    void theClockCountsInvocations() throws VfioException {
        access.nothing(clock);
        access.direct(clock);
        clock.stop();
        assertThat(clock.operations).isEqualTo(2);
        assertThat(clock.cpuNanos).isPositive();
    }

    @Test
    void aGuardedLookFindsWhatAnUnguardedOneDoes() {
        GateBench gate = new GateBench();
        GateBench.Shared shared = new GateBench.Shared();
        GateBench.Own own = new GateBench.Own();
        own.enrol(shared);
        clock.start();
        assertThat(gate.unguarded1(shared, clock)).isEqualTo(42);
        assertThat(gate.guarded1(shared, own, clock)).isEqualTo(43);
        assertThat(gate.unguarded2(shared, clock)).isEqualTo(44);
        assertThat(gate.guarded2(shared, own, clock)).isEqualTo(45);
    }

    @Test
    void aSwapIsDoneAndLosesNoRead() throws VfioException, InterruptedException {
        SwapBench bench = new SwapBench();
        bench.open();
        for (int i = 0; i < 20; i++) {
            assertThat(bench.swap().failure()).isEmpty();
        }
        bench.close();
    }

    @Test
    void theLastMediatorAskedHasTheDevice() throws VfioException {
        OpenBench open = new OpenBench();
        open.mediators = 10;
        open.register();
        clock.start();
        assertThat(open.open(clock)).isNotSameAs(open.open(clock));
        clock.stop();
        assertThat(clock.operations).isEqualTo(2);
        assertThat(clock.cpuNanos).isPositive();
    }

    @Test
    void reportsHaveThePagesThatPlainPassesHave() {
        try (DirtyReport bench = new DirtyReport()) {
            for (long part : new long[] {DirtyReport.SPACE, DirtyReport.PART}) {
                bench.write(1000);
                assertThat(bench.read()).isPositive();
                bench.report(part);
                int reported = bench.answered();
                bench.clear();
                bench.take();
                assertThat(bench.answered()).isEqualTo(reported).isBetween(900, 1000);
            }
        }
    }

    @Test
    void accessesAllocateNothing() throws VfioException {
        assertThat(AllocationCheck.run(200_000)).isZero();
    }
}
