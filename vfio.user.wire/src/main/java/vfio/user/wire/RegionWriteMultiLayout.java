// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// Head of REGION_WRITE_MULTI; `wr_cnt` entries follow, see [RegionWriteEntryLayout]. The reply is the head alone, with the number done.
public final class RegionWriteMultiLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("wr_cnt")).withName("vfio_user_region_write_multi");
    /// Its bytes without entries.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `wr_cnt` is.
    public static final long WR_CNT = HostOrder.offset(LAYOUT, "wr_cnt");

    private RegionWriteMultiLayout() {
    }

    /// The fields.
    ///
    /// @param wrCnt u64
    public record RegionWriteMulti(long wrCnt) {
    }

    /// Reads it at that offset.
    public static RegionWriteMulti decode(MemorySegment segment, long offset) {
        return new RegionWriteMulti(HostOrder.u64(segment, offset + WR_CNT));
    }

    /// Writes it at that offset.
    public static void encode(RegionWriteMulti regionWriteMulti, MemorySegment segment, long offset) {
        HostOrder.putU64(segment, offset + WR_CNT, regionWriteMulti.wrCnt);
    }
}
