// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.core.function.ConfigBytes;
import vfio.pci.core.function.NothingLent;
import vfio.pci.core.function.RamFunction;

/// The virtual config space over a raw one. All offsets are written down here from PCI Local Bus 3.0 and PCI Express.
@Timeout(20)
class ConfigSpaceTest {
    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;
    private static final int BAR0 = 0x10;
    private static final int ROM = 0x30;
    private static final int MSI = 0x50;
    private static final int MSIX = 0x70;
    private static final int PM = 0x80;
    private static final int EXPRESS = 0xA0;
    private static final int DEVICE_CONTROL = EXPRESS + 8;
    private static final int FLR = 0x8000;
    private static final List<Bar> BARS = List.of(
        new Bar(0, Bar.Kind.MEMORY_64, true, 0x10000, List.of()),
        new Bar(2, Bar.Kind.MEMORY_32, false, 0x1000, List.of()),
        new Bar(3, Bar.Kind.IO, false, 0x20, List.of()),
        new Bar(4, Bar.Kind.MEMORY_64, false, 0x2_0000_0000L, List.of()),
        new Bar(Bar.ROM, Bar.Kind.MEMORY_32, false, 0x10000, List.of()));

    private final MemorySegment buffer = Arena.ofAuto().allocate(4096);
    private BoundFunction raw;
    private ConfigSpace config = of(full());

    private static ConfigBytes full() {
        return new ConfigBytes(4096).msi(MSI).msix(MSIX, 5, 3, 0, 3, 0x2000).powerManagement(PM).express(EXPRESS);
    }

    private ConfigSpace of(ConfigBytes bytes) {
        RamFunction function = new RamFunction(BARS, new InterruptVectors(1, 4, 5), bytes.bytes());
        try {
            raw = function.bind("test", new NothingLent());
            return new ConfigSpace(function, raw);
        } catch (VfioException e) {
            throw new AssertionError(e);
        }
    }

    private long read(int offset, int width) throws VfioException {
        config.read(offset, buffer, 0, width);
        return value(width);
    }

    private long readRaw(int offset, int width) throws VfioException {
        raw.readConfig(offset, buffer, 0, width);
        return value(width);
    }

    private long value(int width) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (buffer.get(ValueLayout.JAVA_BYTE, i) & 0xFFL) << 8 * i;
        }
        return value;
    }

    private boolean write(int offset, int width, long value) throws VfioException {
        buffer.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, value);
        return config.write(offset, buffer, 0, width);
    }

    @ParameterizedTest
    @CsvSource({"0x00, 4, 0x154C8086", "0x08, 4, 0x02000002", "0x2C, 4, 0x8086", "0x34, 1, 0x50", "0x3D, 1, 1", "0x50, 2, 0x7005",
        "0x70, 4, 0x00048011", "0x74, 4, 0x3", "0x78, 4, 0x2003", "0x100, 4, 0", "0xFFC, 4, 0"})
    void letsNobodyWriteWhatIsReadOnly(String offset, int width, String expected) throws VfioException {
        int at = Integer.decode(offset);
        assertThat(read(at, width)).isEqualTo(Long.decode(expected));
        for (long value : new long[] {-1, 0}) {
            write(at, width, value);
            int writable = at == MSIX ? 0xC0000000 : 0;
            assertThat(read(at, width)).isEqualTo(Long.decode(expected) | value & Integer.toUnsignedLong(writable));
        }
    }

    @Test
    void showsIdsOfTheDescriptionAndNotOfTheRegisters() throws VfioException {
        assertThat(readRaw(0, 4)).as("a virtual function's own").isEqualTo(0xFFFFFFFFL);
        assertThat(read(0, 4)).isEqualTo(0x154C8086L);
        assertThat(read(1, 2)).as("any part of it").isEqualTo(0x4C80);
    }

    @ParameterizedTest
    @CsvSource({"0x10, 0xFFFF000C", "0x14, 0xFFFFFFFF", "0x18, 0xFFFFF000", "0x1C, 0xFFFFFFE1", "0x20, 0x00000004", "0x24, 0xFFFFFFFE",
        "0x30, 0xFFFF0001"})
    void answersTheSizeOfABar(String offset, String sizing) throws VfioException {
        int at = Integer.decode(offset);
        assertThat(read(at, 4) & ~0xFL).isZero();
        write(at, 4, -1);
        assertThat(read(at, 4)).isEqualTo(Long.decode(sizing));
        assertThat(readRaw(at, 4)).as("the hardware keeps its address").isZero();
    }

    @Test
    void keepsTheAddressOfABar() throws VfioException {
        write(BAR0, 4, 0xFEB12345L);
        assertThat(read(BAR0, 4)).isEqualTo(0xFEB1000CL);
        write(BAR0 + 2, 2, 0xABCD);
        assertThat(read(BAR0, 4)).isEqualTo(0xABCD000CL);
        write(BAR0, 8, 0x1_2222_0000L);
        assertThat(read(BAR0 + 4, 4)).isEqualTo(1);
        write(0x1C, 4, 0xE0FF);
        assertThat(read(0x1C, 4)).as("I/O").isEqualTo(0xE0E1);
        write(ROM, 4, 0xFEA00001L);
        assertThat(read(ROM, 4)).isEqualTo(0xFEA00001L);
    }

    @Test
    void keepsTheCommandBitsThatAreTheClients() throws VfioException {
        assertThat(read(COMMAND, 2)).isZero();
        assertThat(readRaw(COMMAND, 2)).as("the hardware decodes from the start").isEqualTo(0x3);
        write(COMMAND, 2, 0x403);
        assertThat(read(COMMAND, 2)).isEqualTo(0x403);
        assertThat(readRaw(COMMAND, 2)).isEqualTo(0x3);
        write(COMMAND, 2, 0);
        assertThat(read(COMMAND, 2)).isZero();
        assertThat(readRaw(COMMAND, 2)).as("and goes on").isEqualTo(0x3);
    }

    @Test
    void passesTheCommandBitsThatAreTheHardwares() throws VfioException {
        write(COMMAND, 2, 0xFFFF);
        assertThat(read(COMMAND, 2)).isEqualTo(0x0547);
        assertThat(readRaw(COMMAND, 2)).as("bus master, parity, SERR").isEqualTo(0x0147);
        write(COMMAND, 1, 0);
        assertThat(readRaw(COMMAND, 2)).as("one byte").isEqualTo(0x0103);
    }

    @Test
    void clearsStatusBitsOnlyWhereAOneIsWritten() throws VfioException {
        config = of(full().put(STATUS, 2, 0xF910));
        assertThat(read(STATUS, 2)).isEqualTo(0xF910);
        write(COMMAND, 2, 0x6);
        assertThat(read(STATUS, 2)).as("not touched").isEqualTo(0xF910);
        write(COMMAND, 4, 0x8000_0006L);
        assertThat(read(STATUS, 2)).as("a write of both carries no ones of its own").isEqualTo(0x7910);
        write(STATUS, 2, 0xFFFF);
        assertThat(read(STATUS, 2)).isEqualTo(0x0010);
    }

    @Test
    void keepsMsiHereAndNeverLetsTheHardwareSeeIt() throws VfioException {
        byte[] before = rawBytes(MSI, 0x18);
        write(MSI + 2, 2, 0xFFFF);
        assertThat(read(MSI + 2, 2)).as("enable and number of vectors").isEqualTo(0x01F5);
        write(MSI + 4, 8, 0x1234_5678_FEE0_1003L);
        write(MSI + 12, 2, 0x4041);
        write(MSI + 16, 4, 0xF);
        assertThat(read(MSI + 4, 4)).isEqualTo(0xFEE01000L);
        assertThat(read(MSI + 8, 4)).isEqualTo(0x12345678L);
        assertThat(read(MSI + 12, 2)).isEqualTo(0x4041);
        assertThat(read(MSI + 16, 4)).isEqualTo(0xF);
        assertThat(rawBytes(MSI, 0x18)).isEqualTo(before);
    }

    private byte[] rawBytes(int offset, int count) throws VfioException {
        raw.readConfig(offset, buffer, 0, count);
        return buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void passesMsixEnableAndMaskAllThrough() throws VfioException {
        write(MSIX + 2, 2, 0xFFFF);
        assertThat(readRaw(MSIX + 2, 2)).isEqualTo(0xC004);
        assertThat(read(MSIX + 2, 2)).isEqualTo(0xC004);
        write(MSIX + 3, 1, 0x80);
        assertThat(readRaw(MSIX + 2, 2)).isEqualTo(0x8004);
        assertThat(config.msix()).contains(new MsixTable(3, new Range(0, 80), 3, new Range(0x2000, 8)));
    }

    @Test
    void keepsThePowerStateHere() throws VfioException {
        write(PM + 4, 2, 0xFFFF);
        assertThat(read(PM + 4, 2)).isEqualTo(3);
        assertThat(readRaw(PM + 4, 2)).isZero();
    }

    @Test
    void keepsPayloadSizesHere() throws VfioException {
        write(DEVICE_CONTROL, 2, 0x7FFF);
        assertThat(read(DEVICE_CONTROL, 2)).isEqualTo(0x70E0);
        assertThat(readRaw(DEVICE_CONTROL, 2)).isZero();
    }

    @Test
    void findsARequestToResetInWritesOfAnyWidth() throws VfioException {
        assertThat(write(DEVICE_CONTROL + 1, 1, FLR >>> 8)).isTrue();
        assertThat(write(DEVICE_CONTROL, 2, FLR)).isTrue();
        assertThat(write(DEVICE_CONTROL, 4, FLR)).isTrue();
        assertThat(write(DEVICE_CONTROL - 4, 8, (long) FLR << 32)).isTrue();
        assertThat(readRaw(DEVICE_CONTROL, 2)).as("the reset is the core's to do").isZero();
        assertThat(read(DEVICE_CONTROL, 2)).isZero();
    }

    @Test
    void findsNoRequestToResetElsewhere() throws VfioException {
        assertThat(write(DEVICE_CONTROL, 1, 0x80)).isFalse();
        assertThat(write(DEVICE_CONTROL, 2, 0x7FFF)).isFalse();
        assertThat(write(DEVICE_CONTROL + 1, 1, 0x7F)).isFalse();
        assertThat(write(DEVICE_CONTROL + 2, 2, FLR)).isFalse();
        config = of(new ConfigBytes(256).msix(MSIX, 5, 3, 0, 3, 0x2000));
        assertThat(write(DEVICE_CONTROL, 2, FLR)).as("without the capability").isFalse();
    }

    @Test
    void goesBackToItsInitialValuesByAReset() throws VfioException {
        write(COMMAND, 2, 0x407);
        write(BAR0, 4, 0xFEB00000L);
        write(MSI + 2, 2, 1);
        write(MSIX + 2, 2, 0x8000);
        raw.reset();
        config.reset();
        assertThat(read(COMMAND, 2)).isZero();
        assertThat(read(BAR0, 4)).isEqualTo(0xC);
        assertThat(read(MSI + 2, 2)).isEqualTo(0x0184);
        assertThat(read(MSIX + 2, 2)).isEqualTo(4);
        assertThat(readRaw(COMMAND, 2)).as("decoding").isEqualTo(3);
    }

    @Test
    void readsOnAcrossTheWholeSpace() throws VfioException {
        config.read(0, buffer, 0, 4096);
        assertThat(buffer.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0)).isEqualTo(0x154C8086);
        assertThat(config.size()).isEqualTo(4096);
    }

    @Test
    void endsACyclicListOfCapabilities() throws VfioException {
        config = of(new ConfigBytes(256).powerManagement(0x40).msix(0x48, 5, 3, 0, 3, 0x2000).cycleTo(0x40));
        assertThat(config.msix()).isPresent();
        write(0x44, 2, 3);
        assertThat(read(0x44, 2)).isEqualTo(3);
    }

    @Test
    void endsAListThatLeadsIntoTheHeader() {
        config = of(new ConfigBytes(256).powerManagement(0x40).cycleTo(0x10));
        assertThat(config.msix()).isEmpty();
    }

    @Test
    void takesNoCapabilitiesWithoutTheStatusBit() {
        config = of(full().put(STATUS, 2, 0));
        assertThat(config.msix()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x05, 0x10, 0x11})
    void leavesACapabilityAloneThatDoesNotFit(int id) throws VfioException {
        config = of(new ConfigBytes(256).capability(0xFC, id).put(0xFE, 2, 0x0180));
        assertThat(config.msix()).isEmpty();
        assertThat(write(0xFC, 4, -1)).isFalse();
        assertThat(read(0xFC, 4)).isEqualTo(0x01800000L | id);
    }
}
