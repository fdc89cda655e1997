// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;

/// What does [AccessBench] come to with real parts? Felix, the core as a bundle, virtual functions of the simulated XL710 and
/// mediator.i40e, which claims VFGEN_RSTAT, which it answers by asking below, and VF_ARQLEN1, whose reads it passes through.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 6, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = {Forks.NATIVE, Forks.UNSAFE, Forks.COMPILE_FIRST, Forks.SILENT})
public class RuntimeBench {
    static final int VF_ARQLEN1 = 0x8000;
    static final int VF_ATQT1 = 0x8400;
    static final int VFGEN_RSTAT = 0x8800;

    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final PciAddress UNMEDIATED = PciAddress.parse("0000:3b:02.0");
    private static final PciAddress MEDIATED = PciAddress.parse("0000:3b:02.1");
    private static final PciAddress DIRECT = PciAddress.parse("0000:3b:02.2");
    private static final int ROUNDS = 5_000;

    private final MemorySegment buffer = Arena.ofAuto().allocate(8, 8);
    // Offsets are fields, because nobody accesses a device at offsets that are constants.
    private int passed = VF_ARQLEN1;
    private int unclaimed = VF_ATQT1;
    private int handled = VFGEN_RSTAT;
    private FelixRuntime runtime;
    private VfioDevice unmediatedDevice;
    private VfioDevice mediatedDevice;
    private BoundFunction function;
    private DevicePort unmediatedPort;
    private DevicePort mediatedPort;

    /// For JMH.
    public RuntimeBench() {
    }

    /// Starts the runtime and opens three virtual functions: one before there is a mediator, one after, one without the core.
    @Setup(Level.Trial)
    public void open() throws VfioException {
        runtime = new FelixRuntime();
        runtime.configure("device.sim.xl710", "bench");
        runtime.start("device.sim");
        VfioPci core = runtime.service(VfioPci.class, null);
        unmediatedDevice = core.open(UNMEDIATED, Client.standard("bench"));
        unmediatedPort = unmediatedDevice.port();
        runtime.start("mediator.i40e");
        mediatedDevice = core.open(MEDIATED, Client.standard("bench"));
        mediatedPort = mediatedDevice.port();
        function = runtime.service(PciFunction.class, "(" + PciFunction.ADDRESS_PROPERTY + "=" + DIRECT + ")")
            .bind("bench", new HostMemory());
        if (admin().device(UNMEDIATED).mediator().isPresent() || admin().device(MEDIATED).mediator().isEmpty()) {
            throw new IllegalStateException("devices=%s expected=only the second mediated".formatted(admin().devices()));
        }
        use();
    }

    /// What the counters say.
    DeviceAdmin admin() {
        return runtime.service(DeviceAdmin.class, null);
    }

    DevicePort unmediatedPort() {
        return unmediatedPort;
    }

    DevicePort mediatedPort() {
        return mediatedPort;
    }

    /// As [OpenDevices#use()].
    private void use() throws VfioException {
        for (int round = 0; round < ROUNDS; round++) {
            for (DevicePort port : new DevicePort[] {unmediatedPort, mediatedPort}) {
                port.read(RegionIndex.CONFIG, 0, buffer, 0, 4);
                for (int offset : new int[] {VF_ARQLEN1, VF_ATQT1, VFGEN_RSTAT}) {
                    port.read(RegionIndex.BAR0, offset, buffer, 0, 4);
                    port.write(RegionIndex.BAR0, offset, buffer, 0, 4);
                }
            }
            function.readBar(RegionIndex.BAR0, VF_ATQT1, buffer, 0, 4);
        }
    }

    /// Ends everything.
    @TearDown(Level.Trial)
    public void close() {
        function.close();
        mediatedDevice.close();
        unmediatedDevice.close();
        runtime.close();
    }

    private int read(DevicePort port, int offset, OnCpu clock) throws VfioException {
        clock.turn();
        port.read(RegionIndex.BAR0, offset, buffer, 0, 4);
        return buffer.get(DWORD, 0);
    }

    /// The virtual function's own read.
    @Benchmark
    public int direct(OnCpu clock) throws VfioException {
        clock.turn();
        function.readBar(RegionIndex.BAR0, unclaimed, buffer, 0, 4);
        return buffer.get(DWORD, 0);
    }

    /// A virtual function that nobody mediates.
    @Benchmark
    public int unmediated(OnCpu clock) throws VfioException {
        return read(unmediatedPort, unclaimed, clock);
    }

    /// VF_ATQT1, between the two that mediator.i40e claims.
    @Benchmark
    public int unclaimed(OnCpu clock) throws VfioException {
        return read(mediatedPort, unclaimed, clock);
    }

    /// VF_ARQLEN1, whose reads mediator.i40e passes through.
    @Benchmark
    public int passedThrough(OnCpu clock) throws VfioException {
        return read(mediatedPort, passed, clock);
    }

    /// VFGEN_RSTAT, which mediator.i40e reads from below and answers.
    @Benchmark
    public int handled(OnCpu clock) throws VfioException {
        return read(mediatedPort, handled, clock);
    }
}
