// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Each structure against bytes written down by hand, on a little-endian machine, at an odd offset; and back.
class GoldenBytesTest {
    private static final int AT = 3;

    private final Arena arena = Arena.ofAuto();

    @Test
    void header() {
        var header = new HeaderLayout.Header(0x1234, 9, 0x20, HeaderLayout.F_TYPE_REPLY | HeaderLayout.F_ERROR, 22);
        MemorySegment bytes = written("3412 0900 20000000 21000000 16000000", at -> HeaderLayout.encode(header, at, AT));
        assertThat(HeaderLayout.decode(bytes, AT)).isEqualTo(header);
        assertThat(header.reply()).isTrue();
        assertThat(header.error()).isTrue();
    }

    @Test
    void version() {
        var version = new VersionLayout.Version(0, 0xFFFE);
        assertThat(VersionLayout.decode(written("0000 feff", at -> VersionLayout.encode(version, at, AT)), AT)).isEqualTo(version);
    }

    @Test
    void dmaMap() {
        var map = new DmaMapLayout.DmaMap(32, DmaMapLayout.REGION_READ | DmaMapLayout.REGION_WRITE, 0x1000, 0xFFFFFFFFFFFF0000L, 0x8000);
        MemorySegment bytes = written("20000000 03000000 0010000000000000 0000ffffffffffff 0080000000000000",
            at -> DmaMapLayout.encode(map, at, AT));
        assertThat(DmaMapLayout.decode(bytes, AT)).isEqualTo(map);
    }

    @Test
    void dmaUnmap() {
        var unmap = new DmaUnmapLayout.DmaUnmap(24, DmaUnmapLayout.FLAG_ALL, 0x100000000L, 0x2000);
        MemorySegment bytes = written("18000000 02000000 0000000001000000 0020000000000000", at -> DmaUnmapLayout.encode(unmap, at, AT));
        assertThat(DmaUnmapLayout.decode(bytes, AT)).isEqualTo(unmap);
    }

    @Test
    void deviceInfo() {
        var info = new DeviceInfoLayout.DeviceInfo(16, DeviceInfoLayout.FLAGS_RESET | DeviceInfoLayout.FLAGS_PCI, 9, 5);
        MemorySegment bytes = written("10000000 03000000 09000000 05000000", at -> DeviceInfoLayout.encode(info, at, AT));
        assertThat(DeviceInfoLayout.decode(bytes, AT)).isEqualTo(info);
    }

    @Test
    void regionInfo() {
        var info = new RegionInfoLayout.RegionInfo(80, 0xF, 0, 32, 0x10000, 0);
        MemorySegment bytes = written("50000000 0f000000 00000000 20000000 0000010000000000 0000000000000000",
            at -> RegionInfoLayout.encode(info, at, AT));
        assertThat(RegionInfoLayout.decode(bytes, AT)).isEqualTo(info);
    }

    @Test
    void regionIoFds() {
        var fds = new RegionIoFdsLayout.RegionIoFds(16, 0, 2, 0);
        MemorySegment bytes = written("10000000 00000000 02000000 00000000", at -> RegionIoFdsLayout.encode(fds, at, AT));
        assertThat(RegionIoFdsLayout.decode(bytes, AT)).isEqualTo(fds);
    }

    @Test
    void irqInfo() {
        var info = new IrqInfoLayout.IrqInfo(16, IrqInfoLayout.EVENTFD | IrqInfoLayout.NORESIZE, 2, 5);
        MemorySegment bytes = written("10000000 09000000 02000000 05000000", at -> IrqInfoLayout.encode(info, at, AT));
        assertThat(IrqInfoLayout.decode(bytes, AT)).isEqualTo(info);
    }

    @Test
    void irqSet() {
        var set = new IrqSetLayout.IrqSet(20, IrqSetLayout.DATA_EVENTFD | IrqSetLayout.ACTION_TRIGGER, 2, 1, 4);
        MemorySegment bytes = written("14000000 24000000 02000000 01000000 04000000", at -> IrqSetLayout.encode(set, at, AT));
        assertThat(IrqSetLayout.decode(bytes, AT)).isEqualTo(set);
    }

    @Test
    void regionAccess() {
        var access = new RegionAccessLayout.RegionAccess(0x8800, 0, 4);
        MemorySegment bytes = written("0088000000000000 00000000 04000000", at -> RegionAccessLayout.encode(access, at, AT));
        assertThat(RegionAccessLayout.decode(bytes, AT)).isEqualTo(access);
    }

    @Test
    void dmaRegionAccess() {
        var access = new DmaRegionAccessLayout.DmaRegionAccess(0x7FFF0000L, 0x100000000L);
        MemorySegment bytes = written("0000ff7f00000000 0000000001000000", at -> DmaRegionAccessLayout.encode(access, at, AT));
        assertThat(DmaRegionAccessLayout.decode(bytes, AT)).isEqualTo(access);
    }

    @Test
    void regionWriteMulti() {
        var multi = new RegionWriteMultiLayout.RegionWriteMulti(2);
        assertThat(RegionWriteMultiLayout.decode(written("0200000000000000", at -> RegionWriteMultiLayout.encode(multi, at, AT)), AT))
            .isEqualTo(multi);
        var entry = new RegionWriteEntryLayout.RegionWriteEntry(0x10, 3, 2, 0xBEEF);
        MemorySegment bytes = written("1000000000000000 03000000 02000000 efbe000000000000",
            at -> RegionWriteEntryLayout.encode(entry, at, AT));
        assertThat(RegionWriteEntryLayout.decode(bytes, AT)).isEqualTo(entry);
    }

    @Test
    void deviceFeatureAndMigrationData() {
        var feature = new DeviceFeatureLayout.DeviceFeature(16, DeviceFeatureLayout.GET | 1);
        assertThat(DeviceFeatureLayout.decode(written("10000000 01000100", at -> DeviceFeatureLayout.encode(feature, at, AT)), AT))
            .isEqualTo(feature);
        var data = new MigDataLayout.MigData(8, 0x1000);
        assertThat(MigDataLayout.decode(written("08000000 00100000", at -> MigDataLayout.encode(data, at, AT)), AT)).isEqualTo(data);
    }

    private MemorySegment written(String golden, Consumer<MemorySegment> encode) {
        byte[] expected = HexFormat.of().parseHex(golden.replace(" ", ""));
        MemorySegment memory = arena.allocate(AT + expected.length + 1L);
        memory.fill((byte) 0x5A);
        encode.accept(memory);
        assertThat(memory.asSlice(AT, expected.length).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
        assertThat(memory.get(ValueLayout.JAVA_BYTE, AT - 1)).isEqualTo((byte) 0x5A);
        assertThat(memory.get(ValueLayout.JAVA_BYTE, AT + expected.length)).isEqualTo((byte) 0x5A);
        return memory;
    }
}
