// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.function.RamFunction;

/// A function the core knows of with mediators to ask: what the core's component is made of, without the framework.
final class OneDevice implements AutoCloseable {
    /// A client like QEMU.
    static final Client STANDARD = Client.standard("standard");
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final RamFunction hardware = RamFunction.ordinary();
    final ExecutorService later = Executors.newSingleThreadExecutor();
    final KnownFunction function = new KnownFunction(hardware, later);
    final List<Mediator> mediators = new ArrayList<>();
    /// Nobody is given up who leaves, whatever else the machine does.
    DeviceSettings settings = settings(Duration.ofSeconds(20));

    /// What a mediator answers.
    interface Opening {
        Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException;
    }

    private static DeviceSettings settings(Duration drainTimeout) {
        return new DeviceSettings(false, drainTimeout, 64, 4);
    }

    /// For tests of somebody who does not leave: is given up soon from now on.
    OneDevice impatient() {
        return impatient(Duration.ofMillis(500));
    }

    /// The same for tests in which somebody else does what has to be done within some of that time.
    OneDevice impatient(Duration drainTimeout) {
        settings = settings(drainTimeout);
        return this;
    }

    /// Adds a mediator after the others.
    Mediator mediator(String name, Opening opening) {
        MediateOps ops = new MediateOps() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Optional<Mediation> open(PciFunction asked, MediationContext context) throws VfioException {
                return opening.open(asked, context);
            }
        };
        long id = mediators.size() + 1;
        Mediator mediator = new Mediator(new Mediator.Identity(name, "test 1.0.0", 1, 0, id), ops);
        mediators.add(mediator);
        return mediator;
    }

    /// Adds a mediator that accepts with this mediation.
    Mediator accepting(String name, Function<MediationContext, Mediation> mediation) {
        return mediator(name, (asked, context) -> Optional.of(mediation.apply(context)));
    }

    VfioDevice open() throws VfioException {
        return open(STANDARD);
    }

    VfioDevice open(Client client) throws VfioException {
        return function.open(client, mediators, settings);
    }

    void openAndClose() throws VfioException {
        open().close();
    }

    /// What the component does when a mediator's service goes.
    void goes(Mediator mediator) {
        goes(mediator, MediatorPolicy.PASS_THROUGH, Duration.ofSeconds(2));
    }

    /// The same with a policy of the device.
    void goes(Mediator mediator, MediatorPolicy policy, Duration freeze) {
        mediators.remove(mediator);
        long deadline = System.nanoTime() + settings.drainTimeout().toNanos();
        mediator.shut(deadline);
        MediatorDeparture.finish(function.depart(mediator, policy, freeze, deadline).stream().toList(), settings.drainTimeout());
    }

    static int read32(DevicePort port, int region, long offset) throws VfioException {
        MemorySegment buffer = Arena.ofAuto().allocate(4);
        port.read(region, offset, buffer, 0, 4);
        return buffer.get(U32, 0);
    }

    static void write32(DevicePort port, int region, long offset, int value) throws VfioException {
        MemorySegment buffer = Arena.ofAuto().allocate(4);
        buffer.set(U32, 0, value);
        port.write(region, offset, buffer, 0, 4);
    }

    /// Waits for a condition that another thread brings about.
    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("did not come about: " + what);
            }
            LockSupport.parkNanos(50_000);
        }
    }

    @Override
    public void close() {
        later.shutdown();
    }
}
