// SPDX-License-Identifier: Apache-2.0
package bench;

import bench.vendor.WillingMediator;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorRegistry;
import vfio.pci.core.device.DeviceSettings;
import vfio.pci.core.device.KnownFunction;

/// What does it cost to open a device when so many mediators are registered, and the last that is asked takes it? Each of the others is of
/// a class of its own, and refuses. It is closed too, but that is left out of the counters: a mediation is closed by a thread of its own,
/// whatever is registered. JMH's own score has all of it.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = {Forks.NATIVE, Forks.UNSAFE, Forks.COMPILE_FIRST, Forks.SILENT})
@State(Scope.Benchmark)
public class OpenBench {
    /// So often a method is called before the compiler has done its best with it. A warm-up of so many seconds would do less for each of
    /// many mediators than for each of few.
    private static final int CALLS = 20_000;

    /// How many are registered.
    @Param({"1", "10", "100", "1000"})
    public int mediators;

    private final MediatorRegistry registry = new MediatorRegistry();
    private final KnownFunction function = new KnownFunction(new RegisterFunction(PciAddress.ofRoutingId(0, 1)), Runnable::run);
    private final Client client = Client.standard("bench");
    private Mediator willing;

    /// For JMH.
    public OpenBench() {
    }

    /// Registers them.
    @Setup
    public void register() throws VfioException {
        for (int i = 1; i < mediators; i++) {
            MediateOps refusing = VendorLoader.mediator();
            // it takes one device, the first
            for (int call = 0; call < CALLS; call++) {
                refusing.open(null, null);
            }
            registry.add(mediator("refusing " + i, i, refusing));
        }
        willing = mediator("willing", mediators, new WillingMediator());
        registry.add(willing);
    }

    private static Mediator mediator(String name, int id, MediateOps ops) {
        return new Mediator(new Mediator.Identity(name, "bench " + id, id, 0, id), ops);
    }

    /// Opens, and closes.
    @Benchmark
    public VfioDevice open(OnCpu clock) throws VfioException {
        clock.turn();
        VfioDevice device = function.open(client, registry.inOrder(), DeviceSettings.DEFAULT);
        long opened = clock.now();
        if (!function.isOf(willing)) {
            throw new IllegalStateException("status=%s expected=mediated by %s".formatted(function.status(), willing));
        }
        device.close();
        clock.leaveOut(clock.now() - opened);
        return device;
    }
}
