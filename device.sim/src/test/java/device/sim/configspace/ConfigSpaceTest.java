// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import vfio.pci.api.PciId;
import vfio.pci.api.function.Bar;

class ConfigSpaceTest {
    private static final PciId ID = new PciId(0x8086, 0x1234, 0x020000, 1, 0x1111, 0x2222);
    private static final List<Bar> BARS = List.of(
        new Bar(0, Bar.Kind.MEMORY_64, true, 0x1_0000_0000L, List.of()),
        new Bar(2, Bar.Kind.MEMORY_32, false, 0x1000, List.of()),
        new Bar(4, Bar.Kind.IO, false, 0x40, List.of()));

    private final MemorySegment buffer = MemorySegment.ofArray(new byte[16]);

    @Test
    void rejectsFieldsThatOverlap() {
        ConfigSpaceBuilder builder = ConfigSpaceBuilder.conventional().header(ID, BARS, 0);
        assertThatIllegalArgumentException().isThrownBy(() -> builder.field(Field.fixed(0x01, 2, 0)));
    }

    @Test
    void rejectsCapabilitiesThatOverlap() {
        ConfigSpaceBuilder builder = ConfigSpaceBuilder.extended().header(ID, BARS, 0)
            .capability(Capabilities.pciExpress(0x40, Capabilities.ENDPOINT));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.capability(Capabilities.powerManagement(0x60)));
    }

    @Test
    void rejectsAnExtendedListThatDoesNotStartAt100() {
        ConfigSpaceBuilder builder = ConfigSpaceBuilder.extended();
        assertThatIllegalArgumentException().isThrownBy(() -> builder.capability(ExtendedCapabilities.serialNumber(0x140, 1)));
    }

    @Test
    void rejectsAFieldOutsideItsCapability() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Capability(0x40, 9, 0, 8, List.of(Field.fixed(6, 4, 0))));
    }

    @Test
    void rejectsABitThatIsBothWritableAndClearable() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Field(0, 1, 0, 1, 1, 0));
    }

    @Test
    void keepsReadOnlyBytes() {
        ConfigSpace space = space();
        write(space, 0, 4, -1);
        write(space, 8, 4, 0);
        assertThat(read(space, 0, 4)).isEqualTo(0x1234_8086);
        assertThat(read(space, 8, 4)).isEqualTo(0x0200_0001);
    }

    @Test
    void sizesA64BitBar() {
        ConfigSpace space = space();
        assertThat(read(space, 0x10, 4)).isEqualTo(0xC);
        write(space, 0x10, 4, -1);
        write(space, 0x14, 4, -1);
        assertThat(read(space, 0x10, 4)).as("4 GiB: no address bit in the lower half").isEqualTo(0xC);
        assertThat(read(space, 0x14, 4)).isEqualTo(-1);
    }

    @Test
    void sizesA32BitBar() {
        ConfigSpace space = space();
        write(space, 0x18, 4, -1);
        assertThat(read(space, 0x18, 4)).isEqualTo(0xFFFF_F000);
        write(space, 0x18, 4, 0xFEDC_B123);
        assertThat(read(space, 0x18, 4)).isEqualTo(0xFEDC_B000);
    }

    @Test
    void sizesAnIoBar() {
        ConfigSpace space = space();
        write(space, 0x20, 4, -1);
        assertThat(read(space, 0x20, 4)).isEqualTo(0xFFFF_FFC1);
    }

    @Test
    void reads0WhereThereIsNoBar() {
        ConfigSpace space = space();
        write(space, 0x1C, 4, -1);
        write(space, 0x24, 4, -1);
        write(space, 0x30, 4, -1);
        assertThat(read(space, 0x1C, 4)).isZero();
        assertThat(read(space, 0x24, 4)).isZero();
        assertThat(read(space, 0x30, 4)).isZero();
    }

    @Test
    void writesOnlyTheBitsOfCommandThatExist() {
        ConfigSpace space = space();
        write(space, 4, 2, 0xFFFF);
        assertThat(read(space, 4, 2)).isEqualTo(0x0547);
    }

    @Test
    void clearsStatusBitsByWritingOnes() {
        ConfigSpace space = ConfigSpaceBuilder.conventional().field(new Field(0x50, 2, 0xF003, 0x0003, 0xF000, 0)).build();
        write(space, 0x50, 2, 0x5001);
        assertThat(read(space, 0x50, 2)).isEqualTo(0xA001);
    }

    @Test
    void writesAcrossFieldsByteByByte() {
        ConfigSpace space = space();
        write(space, 0x0B, 3, 0x00_AB_FF);
        assertThat(read(space, 0x0B, 1)).as("class code").isEqualTo(2);
        assertThat(read(space, 0x0C, 1)).as("cache line size").isEqualTo(0xAB);
    }

    @Test
    void reportsFunctionLevelResetAndReadsItAs0() {
        ConfigSpace space = ConfigSpaceBuilder.conventional().capability(Capabilities.pciExpress(0x40, Capabilities.ENDPOINT)).build();
        assertThat(write(space, 0x48, 2, 0x7FFF)).isFalse();
        assertThat(write(space, 0x49, 1, 0x80)).isTrue();
        assertThat(read(space, 0x48, 2)).isEqualTo(0x00FF);
    }

    @Test
    void returnsToItsFirstValuesOnReset() {
        ConfigSpace space = space();
        write(space, 4, 2, 0x0006);
        write(space, 0x14, 4, 0x12);
        space.reset();
        assertThat(read(space, 4, 2)).isZero();
        assertThat(read(space, 0x14, 4)).isZero();
        assertThat(read(space, 0, 2)).isEqualTo(0x8086);
    }

    private static ConfigSpace space() {
        return ConfigSpaceBuilder.conventional().header(ID, BARS, 1).build();
    }

    private int read(ConfigSpace space, int offset, int count) {
        buffer.fill((byte) 0);
        space.read(offset, buffer, 1, count);
        return buffer.get(ValueLayout.JAVA_INT_UNALIGNED, 1);
    }

    private boolean write(ConfigSpace space, int offset, int count, int value) {
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED, 1, value);
        return space.write(offset, buffer, 1, count);
    }
}
