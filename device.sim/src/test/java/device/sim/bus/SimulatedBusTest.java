// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.TestDriver;
import device.sim.function.SimulatedFunction;
import device.sim.settings.SettingsException;
import device.sim.xl710.CardFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;

class SimulatedBusTest {
    private static final String FUNCTIONS = "(objectClass=" + PciFunction.class.getName() + ")";
    private static final PciAddress PF = PciAddress.parse("3b:00.0");
    private static final PciAddress VF1 = PciAddress.parse("3b:02.1");

    @TempDir
    private Path storage;

    private Framework framework;
    private BundleContext context;
    private SimulatedBus bus;
    private final List<String> events = new ArrayList<>();
    private final ServiceListener recorder = event -> record(event);

    @BeforeEach
    void start() throws Exception {
        framework = new Framework(storage);
        context = framework.context();
        bus = new SimulatedBus(context);
        context.addServiceListener(recorder, FUNCTIONS);
    }

    @AfterEach
    void stop() throws Exception {
        framework.close();
    }

    @Test
    void refusesASecondFunctionAtAnAddressAndAddsNothing() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 1));
        assertThatThrownBy(() -> bus.add(CardFactory.card("3a:1e.0", 0x21))).isInstanceOfSatisfying(VfioException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST)).hasMessageContaining("0000:3b:00.0");
        assertThat(bus.functions()).hasSize(2);
        assertThatThrownBy(() -> PluggedCard.plug(bus, "device.sim.xl710~b", () -> () -> CardFactory.card("3b:00.0", 1)))
            .isInstanceOf(SettingsException.class).hasMessageContaining("0000:3b:00.0");
    }

    @Test
    void namesTheKnownAddressesForAnUnknownOne() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 1));
        assertThatThrownBy(() -> bus.unplug(PciAddress.parse("00:00.0"))).hasMessageContaining("0000:3b:00.0, 0000:3b:02.0");
    }

    @Test
    void bringsThePhysicalFunctionFirstAndTakesItLast() throws Exception {
        List<SimulatedFunction> card = CardFactory.card("3b:00.0", 2);
        bus.add(card);
        bus.remove(card);
        assertThat(events).containsExactly("+3b:00.0", "+3b:02.0", "+3b:02.1", "-3b:02.1", "-3b:02.0", "-3b:00.0");
        assertThat(bus.functions()).isEmpty();
    }

    @Test
    void publishesAddressIdAndDriver() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 2));
        ServiceReference<PciFunction> reference = reference(VF1);
        assertThat(reference.getProperty(PciFunction.ADDRESS_PROPERTY)).isEqualTo("0000:3b:02.1");
        assertThat(reference.getProperty(PciFunction.ID_PROPERTY)).isEqualTo("8086:154c");
        assertThat(reference.getProperty(PciFunction.DRIVER_PROPERTY)).isNull();
        events.clear();
        TestDriver driver = TestDriver.bind(context.getService(reference));
        assertThat(reference.getProperty(PciFunction.DRIVER_PROPERTY)).isEqualTo("vfio-pci");
        driver.close();
        assertThat(reference.getProperty(PciFunction.DRIVER_PROPERTY)).isNull();
        assertThat(events).containsExactly("*3b:02.1", "*3b:02.1");
    }

    @Test
    void publishesADriverThatBoundWhileTheFunctionWasBeingRegistered() throws Exception {
        Map<String, TestDriver> drivers = new HashMap<>();
        context.addServiceListener(event -> {
            if (event.getType() == ServiceEvent.REGISTERED && event.getServiceReference().getProperty(PciFunction.ID_PROPERTY)
                .equals("8086:1583")) {
                bind(event, drivers);
            }
        }, FUNCTIONS);
        bus.add(CardFactory.card("3b:00.0", 0));
        assertThat(reference(PF).getProperty(PciFunction.DRIVER_PROPERTY)).isEqualTo("i40e");
        drivers.values().forEach(TestDriver::close);
        assertThat(reference(PF).getProperty(PciFunction.DRIVER_PROPERTY)).isNull();
    }

    @Test
    void letsADriverTakeOverFromWithinTheChange() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 0));
        Map<String, TestDriver> drivers = new HashMap<>();
        TestDriver first = TestDriver.bind(context.getService(reference(PF)));
        context.addServiceListener(event -> {
            if (event.getType() == ServiceEvent.MODIFIED && event.getServiceReference().getProperty(PciFunction.DRIVER_PROPERTY) == null) {
                bind(event, drivers);
            }
        }, FUNCTIONS);
        first.close();
        assertThat(reference(PF).getProperty(PciFunction.DRIVER_PROPERTY)).isEqualTo("i40e");
        drivers.values().forEach(driver -> driver.function().close());
    }

    @Test
    void agreesOnTheDriverAfterManyChangesAtOnce() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 0));
        PciFunction function = context.getService(reference(PF));
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String name = "driver" + i;
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    return;
                }
                for (int round = 0; round < 300; round++) {
                    try {
                        TestDriver.bind(function, name).close();
                    } catch (VfioException e) {
                        assertThat(e.errno()).isEqualTo(Errno.EBUSY);
                    }
                }
            }));
        }
        go.countDown();
        for (Thread thread : threads) {
            thread.join(20_000);
            assertThat(thread.isAlive()).isFalse();
        }
        assertThat(function.driver()).isEmpty();
        assertThat(reference(PF).getProperty(PciFunction.DRIVER_PROPERTY)).isNull();
    }

    @Test
    void keepsADriverUntilTheServiceIsGoneAndRefusesNewOnes() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 2));
        TestDriver driver = TestDriver.bind(context.getService(reference(VF1)));
        List<String> seen = new ArrayList<>();
        context.addServiceListener(event -> {
            if (event.getType() == ServiceEvent.UNREGISTERING) {
                seen.add("rstat=" + readStatus(driver));
                driver.function().close();
                bind(event, new HashMap<>());
            }
        }, FUNCTIONS);
        events.clear();
        bus.unplug(VF1);
        assertThat(seen).containsExactly("rstat=2");
        assertThat(events).as("no change is told of a service that goes").containsExactly("-3b:02.1");
        assertThat(reference(VF1)).isNull();
    }

    @Test
    void cutsOffADriverThatDoesNotLetGo() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 2));
        TestDriver driver = TestDriver.bind(context.getService(reference(VF1)));
        bus.unplug(VF1);
        assertThatThrownBy(() -> driver.read(0x8800)).isInstanceOfSatisfying(VfioException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        driver.close();
    }

    @Test
    void unplugsVirtualFunctionsBeforeTheirPhysicalOneAndPlugsThemAfterIt() throws Exception {
        bus.add(CardFactory.card("3b:00.0", 2));
        events.clear();
        bus.unplug(VF1);
        bus.unplug(PF);
        assertThatThrownBy(() -> bus.plug(VF1)).hasMessageContaining("pf=0000:3b:00.0");
        assertThatThrownBy(() -> bus.unplug(VF1)).hasMessageContaining("state=unplugged");
        bus.plug(PF);
        assertThatThrownBy(() -> bus.plug(VF1)).hasMessageContaining("state=plugged");
        assertThat(events).containsExactly("-3b:02.1", "-3b:02.0", "-3b:00.0", "+3b:00.0", "+3b:02.0", "+3b:02.1");
        TestDriver.bind(context.getService(reference(VF1))).close();
    }

    private void record(ServiceEvent event) {
        String mark = switch (event.getType()) {
            case ServiceEvent.REGISTERED -> "+";
            case ServiceEvent.UNREGISTERING -> "-";
            default -> "*";
        };
        events.add(mark + event.getServiceReference().getProperty(PciFunction.ADDRESS_PROPERTY).toString().substring(5));
    }

    private void bind(ServiceEvent event, Map<String, TestDriver> drivers) {
        PciFunction function = (PciFunction) context.getService(event.getServiceReference());
        try {
            drivers.put(function.address().toString(), TestDriver.bind(function, "i40e"));
        } catch (VfioException e) {
            assertThat(e.errno()).isIn(Errno.EBUSY, Errno.ENODEV);
        }
    }

    private static int readStatus(TestDriver driver) {
        try {
            return driver.read(0x8800);
        } catch (VfioException e) {
            return -e.errno().value();
        }
    }

    private ServiceReference<PciFunction> reference(PciAddress address) throws Exception {
        return context.getServiceReferences(PciFunction.class, "(%s=%s)".formatted(PciFunction.ADDRESS_PROPERTY, address)).stream()
            .findFirst().orElse(null);
    }
}
