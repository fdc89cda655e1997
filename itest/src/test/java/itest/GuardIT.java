// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorGuard;
import static itest.options.RuntimeOptions.mediatorIgd;
import static itest.options.RuntimeOptions.simulatedIgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** A guard over the simulated graphics device, before the mediator that would take it otherwise. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class GuardIT {
    private static final PciAddress IGD = PciAddress.parse("0000:00:02.0");
    private static final long RING_TAIL = 0x2030;
    private static final long RING_START = 0x2038;
    private static final long FENCE = 0x100000;
    /** In the pages at 0x8000 to 0xFFFF, which a client may map. */
    private static final long STORAGE = 0x9000;

    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private ConfigurationAdmin configurations;
    @Inject
    private CommandProcessor processor;

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedIgd(), mediatorIgd(),
            configuration("mediator.guard~igd", Map.of("devices", "8086:5927", "service.ranking", "100",
                "rule.1", "deny write bar0:0x2038 value=!0x10000-0x1ffff",
                "rule.2", "limit write bar0:0x2030 rate=1 burst=3",
                "rule.3", "log write bar0:0x100000",
                "rule.4", "deny access bar0:0x9000")),
            mediatorGuard()};
    }

    @Before
    public void waitForDeviceAndGuard() throws Exception {
        Await.until("the device appears", () -> admin.devices().stream().anyMatch(device -> device.address().equals(IGD)));
        Await.until("the guard is asked first", () -> guards().stream().anyMatch(mediator -> mediator.name().equals("guard-igd")));
        assertThat(admin.mediators().getFirst().name()).as("a ranking from a text").isEqualTo("guard-igd");
    }

    @Test
    public void deniesAnAddressOutsideItsWindow() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            registers.write(RING_START, 0x1_1000);
            assertRefused(Errno.EACCES, () -> registers.write(RING_START, 0x2_0000));
            assertThat(registers.read(RING_START)).as("unchanged").isEqualTo(0x1_1000);
        }
    }

    @Test
    public void limitsARate() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            for (int i = 0; i < 3; i++) {
                registers.write(RING_TAIL, 8 * i);
            }
            assertRefused(Errno.EAGAIN, () -> registers.write(RING_TAIL, 0x100));
            assertThat(registers.read(RING_TAIL)).as("reads are not limited").isEqualTo(0x10);
            Await.until("the next is let through", () -> passes(registers));
        }
    }

    @Test
    public void logsAndLetsPass() throws Exception {
        try (var logged = new LoggedLines(Level.INFO); VfioDevice device = open(); var registers = new Registers(device)) {
            registers.write(FENCE, 0x1234_5001);
            Await.until("it is told", () -> !logged.with("rule=3 write offset=0x100000 count=4 value=0x12345001").isEmpty());
            assertThat(registers.read(FENCE)).isEqualTo(0x1234_5001);
        }
    }

    @Test
    public void unmapsThePageThatWouldBypassARuleAndSaysSo() throws Exception {
        try (var logged = new LoggedLines(Level.INFO); VfioDevice device = open(); var registers = new Registers(device)) {
            List<MmapArea> areas = device.regionInfo(0).sparseMmap().orElseThrow().areas();
            assertThat(areas).contains(new MmapArea(0x8000, 0x1000, false), new MmapArea(0xA000, 0x6000, false))
                .noneMatch(area -> area.offset() <= STORAGE && STORAGE < area.end());
            assertRefused(Errno.EINVAL, () -> device.map(0, STORAGE, 0x1000));
            device.map(0, 0x8000, 0x1000).close();
            assertRefused(Errno.EACCES, () -> registers.read(STORAGE));
            assertThat(logged.with("rule=4 would be bypassed in mapped pages 0x9000-0x9fff")).hasSize(1);
            assertThat(new Gogo(processor).run("vfio:guard").lines())
                .anyMatch(line -> line.startsWith("0000:00:02.0: guard-igd rule=4 matched=1 refused=1 unmapped=0x9000-0x9fff"));
        }
    }

    @Test
    public void aWrongRuleIsToldAndLeavesTheOthersInForce() throws Exception {
        var configuration = configurations.getConfiguration("mediator.guard~igd", "?");
        Dictionary<String, Object> before = configuration.getProperties();
        Dictionary<String, Object> wrong = new Hashtable<>(Map.of("devices", "8086:5927", "rule.1", "refuse write bar0"));
        try (var logged = new LoggedLines(Level.INFO)) {
            configuration.update(wrong);
            Await.until("it is told", () -> !logged.with("action=refuse expected=deny, limit, log or pass").isEmpty());
            try (VfioDevice device = open(); var registers = new Registers(device)) {
                assertRefused(Errno.EACCES, () -> registers.read(STORAGE));
            }
        } finally {
            configuration.update(before);
        }
    }

    private static boolean passes(Registers registers) throws VfioException {
        try {
            registers.write(RING_TAIL, 0x100);
            return true;
        } catch (VfioException refused) {
            assertThat(refused.errno()).isEqualTo(Errno.EAGAIN);
            return false;
        }
    }

    private List<MediatorStatus> guards() {
        return admin.mediators().stream().filter(mediator -> mediator.bundle().startsWith("mediator.guard")).toList();
    }

    private VfioDevice open() throws VfioException {
        VfioDevice device = vfio.open(IGD, Client.standard("itest"));
        assertThat(guards()).anyMatch(mediator -> mediator.devices().contains(IGD));
        return device;
    }

    private static void assertRefused(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
    }
}
