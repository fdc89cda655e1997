// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.mediators.Offering;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;

/** Uses what {@link Offering} adds to a device, and checks it. */
final class OfferingClient implements AutoCloseable {
    static final int REGION = RegionIndex.FIRST_SPECIFIC;
    static final int IRQ = IrqIndex.FIRST_SPECIFIC;

    private static final int PATTERN = 0x5AA5_1234;

    private final VfioDevice device;
    private final Registers registers;
    private final RegionMap map;
    private final AtomicInteger interrupts = new AtomicInteger();

    OfferingClient(VfioDevice device) throws VfioException {
        this.device = device;
        registers = new Registers(device);
        map = device.map(REGION, Offering.SHARED, Offering.SIZE - Offering.SHARED);
        device.setIrqTriggers(IRQ, 0, List.of(interrupts::incrementAndGet));
    }

    void useEverything() throws VfioException {
        checkInfos();
        assertThat(registers.read(Registers.VFGEN_RSTAT)).as("what is below, and the mark").isEqualTo(Registers.VFACTIVE | Offering.SEEN);
        assertThat(registers.read(REGION, 0)).as("writes so far").isZero();
        registers.write(REGION, Offering.SHARED, PATTERN);
        assertThat(registers.read(REGION, 0)).as("writes so far").isEqualTo(1);
        assertThat(interrupts).as("interrupts so far").hasValue(1);
        assertThat(map.memory().get(ValueLayout.JAVA_INT, 0)).as("written by message, seen in the map").isEqualTo(PATTERN);
        map.memory().set(ValueLayout.JAVA_INT, 4, ~PATTERN);
        assertThat(registers.read(REGION, Offering.SHARED + 4)).as("written in the map, seen by message").isEqualTo(~PATTERN);
    }

    private void checkInfos() throws VfioException {
        assertThat(device.info().regions()).isEqualTo(REGION + 1);
        assertThat(device.info().irqs()).isEqualTo(IRQ + 1);
        RegionInfo region = device.regionInfo(REGION);
        assertThat(region.size()).isEqualTo(Offering.SIZE);
        assertThat(region.flags()).containsExactlyInAnyOrder(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE, RegionInfo.Flag.MMAP);
        assertThat(region.capabilities()).contains(new RegionCapability.Type(Offering.TYPE, Offering.SUBTYPE));
        assertThat(region.sparseMmap().orElseThrow().areas())
            .containsExactly(new MmapArea(Offering.SHARED, Offering.SIZE - Offering.SHARED, false));
        IrqInfo irq = device.irqInfo(IRQ);
        assertThat(irq.count()).isEqualTo(1);
        assertThat(irq.type()).contains(new IrqInfo.Type(Offering.TYPE, Offering.SUBTYPE));
    }

    /** After another such mediator has come: what was in the map is there still, and goes on. */
    void useWhatIsTheSameAfterwards() throws VfioException {
        checkInfos();
        assertThat(map.memory().get(ValueLayout.JAVA_INT, 4)).isEqualTo(~PATTERN);
        int before = interrupts.get();
        registers.write(REGION, Offering.SHARED, PATTERN);
        assertThat(interrupts).as("interrupts so far").hasValue(before + 1);
        assertThat(registers.read(REGION, Offering.SHARED + 4)).isEqualTo(~PATTERN);
    }

    /** After the mediator has gone: the map's memory is the device's and stays, the region is empty, the indices stay. */
    void useWhatIsLeft() throws VfioException {
        assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        assertThat(map.memory().get(ValueLayout.JAVA_INT, 0)).isEqualTo(PATTERN);
        assertThat(device.info().regions()).isEqualTo(REGION + 1);
        assertThat(device.regionInfo(REGION).size()).isZero();
    }

    @Override
    public void close() {
        map.close();
        registers.close();
    }
}
