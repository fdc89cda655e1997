// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorIgd;
import static itest.options.RuntimeOptions.simulatedIgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import javax.inject.Inject;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** mediator.igd switches trapping of an area; clients in this process learn of it by the trap-info region, an event id, an interrupt. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class TrapSwitchIT {
    private static final PciAddress IGD = PciAddress.parse("0000:00:02.0");
    /** Of the dynamic-trap-bar-info region, the only one that is added. */
    private static final int TRAP_INFO = RegionIndex.FIRST_SPECIFIC;
    private static final int TRAP_INFO_IRQ = IrqIndex.FIRST_SPECIFIC;
    private static final long DT_FD = 0;
    private static final long TRAP = 4;
    private static final MmapArea AREA = new MmapArea(0x8000, 0x8000, true);
    private static final long BELOW_THE_AREA = 0x100;
    private static final long IN_THE_AREA = AREA.offset() + 0x100;
    private static final long ABOVE_THE_AREA = AREA.end();

    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedIgd(), mediatorIgd()};
    }

    @Before
    public void waitForTheDevice() throws Exception {
        Await.until("the IGD appears", () -> !admin.devices().isEmpty());
    }

    @Test
    public void refusesAnEventThatIsNotOfThisClient() throws Exception {
        try (VfioDevice device = open(Set.of(Client.Feature.EVENT_IDS)); var registers = new Registers(device);
                VfioDevice other = open(Set.of(Client.Feature.EVENT_IDS))) {
            int id = other.registerEvent(() -> { });
            assertRefused(Errno.EOPNOTSUPP, () -> registers.write(TRAP_INFO, DT_FD, id));
            assertThat(registers.read(TRAP_INFO, DT_FD)).isZero();
        }
        try (VfioDevice device = open(Set.of())) {
            assertRefused(Errno.EOPNOTSUPP, () -> device.registerEvent(() -> { }));
        }
    }

    @Test
    public void refusesAWriteOfTheState() throws Exception {
        try (VfioDevice device = open(Set.of()); var registers = new Registers(device)) {
            assertRefused(Errno.EACCES, () -> registers.write(TRAP_INFO, TRAP, 1));
            assertRefused(Errno.EINVAL, () -> registers.read(TRAP_INFO, 2));
            assertThat(admin.device(IGD).trapping()).isFalse();
        }
    }

    @Test
    public void aClientThatCannotBeToldMayNotMapTheArea() throws Exception {
        try (VfioDevice device = open(Set.of()); var registers = new Registers(device)) {
            assertThat(device.regionInfo(RegionIndex.BAR0).sparseMmap()).isEmpty();
            assertRefused(Errno.EINVAL, () -> device.map(RegionIndex.BAR0, AREA.offset(), AREA.size()));
            registers.read(IN_THE_AREA);
            assertThat(admin.stats(IGD).trapped()).as("for it the area traps always").isEqualTo(1);
        }
    }

    @Test
    public void switchesOnBelowTheAreaAndOffInsideItAndTellsOnce() throws Exception {
        try (VfioDevice device = open(Set.of(Client.Feature.EVENT_IDS, Client.Feature.DISABLABLE_AREAS));
                var registers = new Registers(device)) {
            var events = new AtomicInteger();
            var interrupts = new AtomicInteger();
            describesTheArea(device);
            registers.write(TRAP_INFO, DT_FD, device.registerEvent(events::incrementAndGet));
            device.setIrqTriggers(TRAP_INFO_IRQ, 0, List.of(interrupts::incrementAndGet));

            registers.read(ABOVE_THE_AREA);
            assertThat(registers.read(TRAP_INFO, TRAP)).isZero();
            registers.read(BELOW_THE_AREA);
            assertThat(registers.read(TRAP_INFO, TRAP)).isEqualTo(1);
            assertThat(admin.device(IGD).trapping()).isTrue();
            assertThat(events).hasValue(1);
            assertThat(interrupts).hasValue(1);

            registers.write(IN_THE_AREA, 0);
            assertThat(registers.read(TRAP_INFO, TRAP)).isZero();
            assertThat(events).hasValue(2);
            assertThat(interrupts).hasValue(2);
            assertThat(admin.stats(IGD).trapped()).as("the access that ended it").isEqualTo(1);

            registers.read(BELOW_THE_AREA);
            assertThat(registers.read(TRAP_INFO, TRAP)).as("once for each open").isZero();
            assertThat(events).hasValue(2);
        }
    }

    @Test
    public void anEventCanBeTakenBack() throws Exception {
        try (VfioDevice device = open(Set.of(Client.Feature.EVENT_IDS)); var registers = new Registers(device)) {
            var events = new AtomicInteger();
            registers.write(TRAP_INFO, DT_FD, device.registerEvent(events::incrementAndGet));
            registers.write(TRAP_INFO, DT_FD, 0);
            registers.read(BELOW_THE_AREA);
            assertThat(registers.read(TRAP_INFO, TRAP)).isEqualTo(1);
            assertThat(events).hasValue(0);
        }
    }

    @Test
    public void trappingEndsWithTheMediator() throws Exception {
        Bundle mediator = Arrays.stream(context.getBundles()).filter(one -> "mediator.igd".equals(one.getSymbolicName())).findFirst()
            .orElseThrow();
        try (VfioDevice device = open(Set.of(Client.Feature.EVENT_IDS, Client.Feature.DISABLABLE_AREAS));
                var registers = new Registers(device)) {
            var events = new AtomicInteger();
            registers.write(TRAP_INFO, DT_FD, device.registerEvent(events::incrementAndGet));
            registers.read(BELOW_THE_AREA);
            assertThat(events).hasValue(1);
            mediator.stop();
            assertThat(events).as("the client may map again").hasValue(2);
            assertThat(admin.device(IGD).trapping()).isFalse();
            assertThat(device.regionInfo(TRAP_INFO).size()).isZero();
        } finally {
            mediator.start();
        }
    }

    private static void describesTheArea(VfioDevice device) throws VfioException {
        assertThat(device.regionInfo(RegionIndex.BAR0).sparseMmap().orElseThrow().areas()).containsExactly(AREA);
        assertThat(device.regionInfo(TRAP_INFO).capabilities()).contains(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
        assertThat(device.irqInfo(TRAP_INFO_IRQ).type()).contains(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
    }

    private VfioDevice open(Set<Client.Feature> features) throws VfioException {
        return vfio.open(IGD, new Client("itest", features));
    }

    private static void assertRefused(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
    }
}
