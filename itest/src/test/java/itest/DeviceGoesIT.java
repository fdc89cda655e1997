// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Setting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.function.PciFunction;

/** What a client has open goes from under it: the function is unplugged, or the core's bundle stops. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class DeviceGoesIT {
    private static final int THREADS = 4;
    private static final long SOME_ROUNDS = 200;

    @Inject
    private BundleContext context;
    @Inject
    private CommandProcessor processor;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic()};
    }

    @Before
    public void waitForTheNic() throws Exception {
        SimulatedNic.await(service(DeviceAdmin.class));
    }

    @Test
    public void unplugUnderAccessTellsTheClientAndRefusesTheRest() throws Exception {
        mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        try (VfioDevice device = open(SimulatedNic.VF1);
                VfioDevice other = open(SimulatedNic.VF0); var otherRegisters = new Registers(other)) {
            var told = new Told(device);
            var threads = new AccessingThreads(device, THREADS, thread -> registers -> expectAnswer(registers, 0xA1));
            threads.awaitRounds(SOME_ROUNDS);
            new Gogo(processor).run("sim:unplug " + SimulatedNic.VF1);
            told.assertTold();
            assertThat(threads.awaitFailures()).allSatisfy(DeviceGoesIT::isGone);
            assertEverythingIsRefused(device);
            assertThat(service(DeviceAdmin.class).devices()).extracting(DeviceStatus::address).doesNotContain(SimulatedNic.VF1);
            assertThat(mediators.number(Setting.CLOSED, "m")).as("only the one is closed").hasValue(1);
            expectAnswer(otherRegisters, 0xA1);

            new Gogo(processor).run("sim:plug " + SimulatedNic.VF1);
            assertEverythingIsRefused(device);
            try (VfioDevice again = open(SimulatedNic.VF1); var registers = new Registers(again)) {
                expectAnswer(registers, 0xA1);
                device.close();
                expectAnswer(registers, 0xA1);
            }
        }
        assertThat(mediators.number(Setting.LATE, "m")).hasValue(0);
    }

    @Test
    public void unpluggingAPhysicalFunctionTakesItsVirtualOnesFirst() throws Exception {
        List<PciAddress> order = Collections.synchronizedList(new ArrayList<>());
        try (VfioDevice physical = open(SimulatedNic.PF);
                VfioDevice first = open(SimulatedNic.VF0);
                VfioDevice last = open(SimulatedNic.VF3)) {
            for (VfioDevice device : List.of(physical, first, last)) {
                device.onGone(() -> order.add(device.address()));
            }
            new Gogo(processor).run("sim:unplug " + SimulatedNic.PF);
            assertThat(order).containsExactlyInAnyOrder(SimulatedNic.VF0, SimulatedNic.VF3, SimulatedNic.PF).last()
                .isEqualTo(SimulatedNic.PF);
            assertThat(service(DeviceAdmin.class).devices()).isEmpty();
        } finally {
            new Gogo(processor).run("sim:plug " + SimulatedNic.PF);
        }
    }

    @Test
    public void stoppingTheCoreUnderAccessTellsClientsAndFreesTheFunctions() throws Exception {
        mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        Bundle core = bundle("vfio.pci.core");
        try (VfioDevice device = open(SimulatedNic.VF0); VfioDevice idle = open(SimulatedNic.VF1)) {
            var told = new Told(device);
            var idleTold = new Told(idle);
            var threads = new AccessingThreads(device, THREADS, thread -> registers -> expectAnswer(registers, 0xA1));
            threads.awaitRounds(SOME_ROUNDS);
            core.stop();
            told.assertTold();
            idleTold.assertTold();
            assertThat(threads.awaitFailures()).allSatisfy(DeviceGoesIT::isGone);
            assertEverythingIsRefused(device);
            assertThat(mediators.number(Setting.CLOSED, "m")).hasValue(2);
            assertThat(drivers()).as("drivers bound to functions").isEmpty();

            core.start();
            SimulatedNic.await(service(DeviceAdmin.class));
            assertEverythingIsRefused(device);
            try (VfioDevice again = open(SimulatedNic.VF0); var registers = new Registers(again)) {
                expectAnswer(registers, 0xA1);
                device.close();
                expectAnswer(registers, 0xA1);
            }
        }
        assertThat(mediators.number(Setting.LATE, "m")).hasValue(0);
    }

    private VfioDevice open(PciAddress address) throws VfioException {
        return service(VfioPci.class).open(address, Client.standard("itest"));
    }

    /** Looked up anew each time: the core that was injected at first may have gone. */
    private <S> S service(Class<S> type) {
        return context.getService(context.getServiceReference(type));
    }

    private Bundle bundle(String symbolicName) {
        return Arrays.stream(context.getBundles()).filter(one -> symbolicName.equals(one.getSymbolicName())).findFirst().orElseThrow();
    }

    private List<Object> drivers() throws InvalidSyntaxException {
        List<Object> drivers = new ArrayList<>();
        for (ServiceReference<?> function : context.getServiceReferences(PciFunction.class, "(" + PciFunction.DRIVER_PROPERTY + "=*)")) {
            drivers.add(function.getProperty(PciFunction.DRIVER_PROPERTY));
        }
        return drivers;
    }

    private static void expectAnswer(Registers registers, int answer) throws VfioException {
        int status = registers.read(Registers.VFGEN_RSTAT);
        if (status != answer) {
            throw new AssertionError("status=0x%x expected=0x%x".formatted(status, answer));
        }
    }

    private static void isGone(Throwable answer) {
        assertThat(answer).isInstanceOfSatisfying(VfioException.class, gone -> assertThat(gone.errno()).isEqualTo(Errno.ENODEV));
    }

    private static void assertEverythingIsRefused(VfioDevice device) {
        List<ThrowingCallable> calls = List.of(
            device::port,
            device::reset,
            () -> device.regionInfo(RegionIndex.BAR0),
            () -> device.irqInfo(IrqIndex.MSIX),
            () -> device.map(RegionIndex.BAR0, 0, 0x1000),
            () -> device.regionFile(RegionIndex.BAR0),
            () -> device.setIrqTriggers(IrqIndex.MSIX, 0, List.of(() -> { })),
            () -> device.disableIrq(IrqIndex.MSIX));
        assertThat(calls).allSatisfy(call -> assertThatThrownBy(call).satisfies(DeviceGoesIT::isGone));
        var told = new AtomicInteger();
        device.onGone(told::incrementAndGet);
        assertThat(told).as("who asks late is told at once").hasValue(1);
    }

    /** How a client is told. */
    private static final class Told {
        private final AtomicInteger errors = new AtomicInteger();
        private final AtomicInteger requests = new AtomicInteger();
        private final AtomicInteger gone = new AtomicInteger();

        Told(VfioDevice device) throws VfioException {
            device.setIrqTriggers(IrqIndex.ERR, 0, List.of(errors::incrementAndGet));
            device.setIrqTriggers(IrqIndex.REQ, 0, List.of(requests::incrementAndGet));
            device.onGone(gone::incrementAndGet);
        }

        void assertTold() {
            assertThat(errors).as("ERR").hasValue(1);
            assertThat(requests).as("REQ").hasValue(1);
            assertThat(gone).as("listener").hasValue(1);
        }
    }
}
