// SPDX-License-Identifier: Apache-2.0
package bench;

import bench.vendor.MovableMediator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
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
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.device.DeviceSettings;
import vfio.pci.core.device.KnownFunction;
import vfio.pci.core.device.MediatorSwap;

/// How long do accesses wait while a mediator takes over from another with 8 KiB of state? The percentiles are the answer; a thread
/// accesses the device all the time, and finds that no read was lost.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {Forks.NATIVE, Forks.SILENT})
public class SwapBench {
    private static final int REGISTER = 0x4800;

    private final KnownFunction function = new KnownFunction(new RegisterFunction(PciAddress.ofRoutingId(0, 1)), Runnable::run);
    private Mediator from = mediator(1);
    private Mediator to = mediator(2);
    private VfioDevice device;
    private Thread reader;
    private volatile boolean ends;
    private volatile int wrong;

    /// For JMH.
    public SwapBench() {
    }

    private static Mediator mediator(int number) {
        return new Mediator(new Mediator.Identity("movable", "bench 1.0." + number, number, 0, number), new MovableMediator());
    }

    /// Opens the device and begins to read.
    @Setup(Level.Trial)
    public void open() throws VfioException {
        device = function.open(Client.standard("bench"), List.of(from), DeviceSettings.DEFAULT);
        DevicePort port = device.port();
        reader = Thread.ofPlatform().daemon().start(() -> read(port));
    }

    private void read(DevicePort port) {
        MemorySegment buffer = Arena.ofAuto().allocate(8, 8);
        try {
            for (int expected = 1; !ends; expected++) {
                port.read(RegionIndex.BAR0, REGISTER, buffer, 0, 4);
                if (buffer.get(ValueLayout.JAVA_INT, 0) != expected) {
                    wrong = expected;
                    return;
                }
            }
        } catch (VfioException e) {
            wrong = -1;
        }
    }

    /// One exchange.
    @Benchmark
    public Exchange swap() {
        Exchange exchange = MediatorSwap.eachAlone(List.of(function), from, to).getFirst();
        if (exchange.failure().isPresent() || wrong != 0) {
            throw new IllegalStateException("exchange=%s wrong=%d expected=done, and each read counted once".formatted(exchange, wrong));
        }
        Mediator before = from;
        from = to;
        to = before;
        return exchange;
    }

    /// Ends it.
    @TearDown(Level.Trial)
    public void close() throws InterruptedException {
        ends = true;
        reader.join();
        device.close();
    }
}
