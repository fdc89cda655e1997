// SPDX-License-Identifier: Apache-2.0
package bench;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;

/// Does an access allocate? Counts the bytes that this thread allocates over many accesses of each kind, once they are compiled.
///
/// `java -cp benchmarks.jar bench.AllocationCheck` prints a line for each kind; the exit code is 1 if there was any byte.
public final class AllocationCheck {
    private static final int WARMUP = 3;
    private static final int ACCESSES = 1_000_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final MemorySegment buffer = Arena.ofAuto().allocate(8, 8);

    private AllocationCheck() {
    }

    /// Runs and prints.
    public static void main(String[] args) throws VfioException {
        if (run(ACCESSES) + runInFelix(ACCESSES) > 0) {
            System.exit(1);
        }
    }

    /// Prints what so many accesses of each kind allocate.
    ///
    /// @return bytes, of all kinds together
    static long run(int accesses) throws VfioException {
        AllocationCheck check = new AllocationCheck();
        try (OpenDevices devices = new OpenDevices(1)) {
            devices.use();
            return check.print("unmediated", devices.unmediated[0], OpenDevices.UNCLAIMED, accesses)
                + check.print("unclaimed", devices.mediated[0], OpenDevices.UNCLAIMED, accesses)
                + check.print("passedThrough", devices.mediated[0], OpenDevices.WATCHED, accesses)
                + check.print("handled", devices.mediated[0], OpenDevices.OWN, accesses);
        }
    }

    /// The same with the parts of [RuntimeBench].
    static long runInFelix(int accesses) throws VfioException {
        AllocationCheck check = new AllocationCheck();
        RuntimeBench bench = new RuntimeBench();
        bench.open();
        try {
            return check.print("Felix, unmediated", bench.unmediatedPort(), RuntimeBench.VF_ATQT1, accesses)
                + check.print("Felix, unclaimed", bench.mediatedPort(), RuntimeBench.VF_ATQT1, accesses)
                + check.print("Felix, passedThrough", bench.mediatedPort(), RuntimeBench.VF_ARQLEN1, accesses)
                + check.print("Felix, handled", bench.mediatedPort(), RuntimeBench.VFGEN_RSTAT, accesses);
        } finally {
            bench.close();
        }
    }

    private long print(String kind, DevicePort port, int offset, int accesses) throws VfioException {
        // The JVM allocates on a thread now and then what is none of the access's; what an access allocates is there in every round.
        long bytes = Long.MAX_VALUE;
        for (int round = 0; round <= WARMUP; round++) {
            bytes = Math.min(bytes, allocated(port, offset, accesses));
        }
        System.out.printf("%-20s %d bytes in %d reads and as many writes%n", kind, bytes, accesses);
        return bytes;
    }

    private long allocated(DevicePort port, int offset, int accesses) throws VfioException {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < accesses; i++) {
            port.read(RegionIndex.BAR0, offset, buffer, 0, 4);
            port.write(RegionIndex.BAR0, offset, buffer, 0, 4);
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
