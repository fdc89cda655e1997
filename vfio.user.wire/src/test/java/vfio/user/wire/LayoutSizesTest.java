// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Sizes and offsets as a C compiler gives them for libvfio-user's `include/vfio-user.h` and Linux's `linux/vfio.h` on x86-64; of an
/// ioeventfd, where the two differ, those of QEMU's `docs/interop/vfio-user.rst`.
class LayoutSizesTest {
    static Stream<Arguments> structures() {
        return Stream.of(
            structure(HeaderLayout.LAYOUT, 16, "msg_id=0 cmd=2 msg_size=4 flags=8 error_no=12"),
            structure(VersionLayout.LAYOUT, 4, "major=0 minor=2"),
            structure(DmaMapLayout.LAYOUT, 32, "argsz=0 flags=4 offset=8 addr=16 size=24"),
            structure(DmaUnmapLayout.LAYOUT, 24, "argsz=0 flags=4 addr=8 size=16"),
            structure(BitmapLayout.LAYOUT, 16, "pgsize=0 size=8"),
            structure(DeviceInfoLayout.LAYOUT, 16, "argsz=0 flags=4 num_regions=8 num_irqs=12"),
            structure(RegionInfoLayout.LAYOUT, 32, "argsz=0 flags=4 index=8 cap_offset=12 size=16 offset=24"),
            structure(RegionIoFdsLayout.LAYOUT, 16, "argsz=0 flags=4 index=8 count=12"),
            structure(IoEventFdLayout.LAYOUT, 40, "offset=0 size=8 fd_index=16 type=20 flags=24 padding=28 datamatch=32"),
            structure(IrqInfoLayout.LAYOUT, 16, "argsz=0 flags=4 index=8 count=12"),
            structure(IrqSetLayout.LAYOUT, 20, "argsz=0 flags=4 index=8 start=12 count=16"),
            structure(RegionAccessLayout.LAYOUT, 16, "offset=0 region=8 count=12"),
            structure(DmaRegionAccessLayout.LAYOUT, 16, "addr=0 count=8"),
            structure(RegionWriteMultiLayout.LAYOUT, 8, "wr_cnt=0"),
            structure(RegionWriteEntryLayout.LAYOUT, 24, "offset=0 region=8 count=12 data=16"),
            structure(DeviceFeatureLayout.LAYOUT, 8, "argsz=0 flags=4"),
            structure(MigDataLayout.LAYOUT, 8, "argsz=0 size=4"),
            structure(FeatureMigrationLayout.LAYOUT, 8, "flags=0"),
            structure(MigStateLayout.LAYOUT, 8, "device_state=0 data_fd=4"),
            structure(MigDataSizeLayout.LAYOUT, 8, "stop_copy_length=0"),
            structure(PrecopyInfoLayout.LAYOUT, 16, "initial_bytes=0 dirty_bytes=8"),
            structure(DmaLoggingControlLayout.LAYOUT, 16, "page_size=0 num_ranges=8 reserved=12"),
            structure(DmaLoggingRangeLayout.LAYOUT, 16, "iova=0 length=8"),
            structure(DmaLoggingReportLayout.LAYOUT, 24, "iova=0 length=8 page_size=16"),
            structure(CapHeaderLayout.LAYOUT, 8, "id=0 version=2 next=4"),
            structure(SparseMmapLayout.LAYOUT, 16, "id=0 version=2 next=4 nr_areas=8 reserved=12"),
            structure(SparseMmapAreaLayout.LAYOUT, 16, "offset=0 size=8"),
            structure(CapTypeLayout.LAYOUT, 16, "id=0 version=2 next=4 type=8 subtype=12"),
            structure(CapDisablableLayout.LAYOUT, 16, "id=0 version=2 next=4 nr_areas=8 reserved=12"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("structures")
    void hasTheSizeAndOffsetsOfTheHeader(String name, StructLayout layout, long size, String offsets) {
        assertThat(layout.byteSize()).isEqualTo(size);
        StringBuilder found = new StringBuilder();
        for (MemoryLayout member : layout.memberLayouts()) {
            String field = member.name().orElseThrow();
            found.append(found.isEmpty() ? "" : " ").append(field).append('=').append(HostOrder.offset(layout, field));
        }
        assertThat(found).hasToString(offsets);
    }

    private static Arguments structure(StructLayout layout, long size, String offsets) {
        return Arguments.of(layout.name().orElseThrow(), layout, size, offsets);
    }
}
