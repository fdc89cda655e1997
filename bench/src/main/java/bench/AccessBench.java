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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;

/// What does it cost to read a 4-byte register through the core, by who has a say in it? Each invocation takes the next of as many devices
/// as there are mediators, each with a mediator of a class of its own; [#direct] does the same without the core.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 6, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = {Forks.NATIVE, Forks.UNSAFE, Forks.COMPILE_FIRST, Forks.SILENT})
public class AccessBench {
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int RUN_SHIFT = 6;

    /// Mediators, and devices to alternate between; a power of two.
    @Param({"1", "2", "8"})
    public int mediators = 1;

    private final MemorySegment buffer = Arena.ofAuto().allocate(8, 8);
    // Offsets are fields, because nobody accesses a device at offsets that are constants.
    private int watched = OpenDevices.WATCHED;
    private int unclaimed = OpenDevices.UNCLAIMED;
    private int own = OpenDevices.OWN;
    private OpenDevices devices;

    /// For JMH.
    public AccessBench() {
    }

    /// Opens the devices.
    @Setup(Level.Trial)
    public void open() throws VfioException {
        devices = new OpenDevices(mediators);
        devices.use();
    }

    /// Closes them.
    @TearDown(Level.Trial)
    public void close() {
        devices.close();
    }

    /// What the counters say.
    OpenDevices devices() {
        return devices;
    }

    private int next(OnCpu clock) {
        return clock.turn() & mediators - 1;
    }

    private int read(DevicePort port, int offset) throws VfioException {
        port.read(RegionIndex.BAR0, offset, buffer, 0, 4);
        return buffer.get(DWORD, 0);
    }

    /// What choosing the device and looking into the buffer cost alone: part of all the others.
    @Benchmark
    public int nothing(OnCpu clock) {
        return buffer.get(DWORD, 0) + (devices.direct[next(clock)] == null ? 1 : 0);
    }

    /// The function's own read, called as any function is: what the others are compared with.
    @Benchmark
    public int direct(OnCpu clock) throws VfioException {
        devices.direct[next(clock)].readBar(RegionIndex.BAR0, unclaimed, buffer, 0, 4);
        return buffer.get(DWORD, 0);
    }

    /// Nobody mediates the device.
    @Benchmark
    public int unmediated(OnCpu clock) throws VfioException {
        return read(devices.unmediated[next(clock)], unclaimed);
    }

    /// The device is mediated, but the register lies between the claims.
    @Benchmark
    public int unclaimed(OnCpu clock) throws VfioException {
        return read(devices.mediated[next(clock)], unclaimed);
    }

    /// The mediation is asked and passes the access through.
    @Benchmark
    public int passedThrough(OnCpu clock) throws VfioException {
        return read(devices.mediated[next(clock)], watched);
    }

    /// As [#passedThrough], but 64 accesses of one device follow each other, as when a loop serves what has come from one client.
    @Benchmark
    public int passedThroughInRuns(OnCpu clock) throws VfioException {
        return read(devices.mediated[clock.turn() >>> RUN_SHIFT & mediators - 1], watched);
    }

    /// The mediation answers, and the device is not reached.
    @Benchmark
    public int handled(OnCpu clock) throws VfioException {
        return read(devices.mediated[next(clock)], own);
    }
}
