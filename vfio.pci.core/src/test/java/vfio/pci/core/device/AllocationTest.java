// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.binding.MediatorStack;

/// Nothing is allocated per access.
@Timeout(60)
class AllocationTest {
    private static final int ACCESSES = 50_000;

    private final OneDevice one = new OneDevice();
    private final MemorySegment buffer = Arena.ofAuto().allocate(64);

    @AfterEach
    void end() {
        one.close();
    }

    /// Sees a register and passes it on.
    private static final class Passing extends Mediation {
        @Override
        public List<Claim> claims() {
            return List.of(Claim.of(0, 0x4000, 4), Claim.of(0, 0x5000, 4), Claim.of(0, 0x6000, 4));
        }
    }

    private interface Access {
        void by(DevicePort port) throws VfioException;
    }

    /// Sees a register and passes it on by asking below.
    private static final class Asking extends Mediation {
        private final MediationContext context;

        Asking(MediationContext context) {
            this.context = context;
        }

        @Override
        public List<Claim> claims() {
            return List.of(Claim.of(0, 0x4000, 4), Claim.of(0, 0x6000, 4));
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment into, long at, int count) throws VfioException {
            context.readBelow(region, offset, into, at, count);
            return Verdict.HANDLED;
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment from, long at, int count) throws VfioException {
            context.writeBelow(region, offset, from, at, count);
            return Verdict.HANDLED;
        }
    }

    private void assertAllocatesNothing(Access access) throws VfioException {
        one.accepting("passing", context -> new Passing());
        VfioDevice device = one.open();
        DevicePort port = device.port();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(self);
            for (int i = 0; i < ACCESSES; i++) {
                access.by(port);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
        }
        assertThat(least).as("bytes in %d accesses; the measuring itself takes some", ACCESSES).isLessThan(ACCESSES / 10);
        assertThat(one.function.stats().mediated() + one.function.stats().passedThrough()).isEqualTo(5L * ACCESSES);
        device.close();
    }

    @Test
    void readsAnUnclaimedRegister() throws VfioException {
        assertAllocatesNothing(port -> port.read(0, 0x5800, buffer, 0, 4));
    }

    @Test
    void readsAnUnclaimedRegisterNextToAClaimedOne() throws VfioException {
        assertAllocatesNothing(port -> port.read(0, 0x4010, buffer, 0, 4));
    }

    @Test
    void readsARegisterThatTheMediationPassesOn() throws VfioException {
        assertAllocatesNothing(port -> port.read(0, 0x4000, buffer, 0, 4));
    }

    @Test
    void writesARegisterThatTheMediationPassesOn() throws VfioException {
        assertAllocatesNothing(port -> port.write(0, 0x6000, buffer, 0, 4));
    }

    /// Layers that pass on, by their verdict and by asking below.
    private void declareLayers() {
        one.accepting("asking", Asking::new);
        one.accepting("upper", context -> new Passing());
        one.function.declare(new MediatorStack(List.of("upper", "asking")));
    }

    @Test
    void readsARegisterThroughLayers() throws VfioException {
        declareLayers();
        assertAllocatesNothing(port -> port.read(0, 0x4000, buffer, 0, 4));
    }

    @Test
    void writesARegisterThroughLayers() throws VfioException {
        declareLayers();
        assertAllocatesNothing(port -> port.write(0, 0x6000, buffer, 0, 4));
    }

    @Test
    void readsConfigSpace() throws VfioException {
        assertAllocatesNothing(port -> port.read(RegionIndex.CONFIG, 0, buffer, 0, 64));
    }
}
