// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_region_sparse_mmap_area`: the standard 16 bytes, to which nothing may be added.
public final class SparseMmapAreaLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("offset"),
        U64.withName("size")).withName("vfio_region_sparse_mmap_area");
    /// Its bytes.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `offset` is.
    public static final long OFFSET = HostOrder.offset(LAYOUT, "offset");
    /// Where `size` is.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");

    private SparseMmapAreaLayout() {
    }

    /// The fields.
    ///
    /// @param offset u64
    /// @param size u64
    public record SparseMmapArea(long offset, long size) {
    }

    /// Reads it at that offset.
    public static SparseMmapArea decode(MemorySegment segment, long offset) {
        return new SparseMmapArea(HostOrder.u64(segment, offset + OFFSET), HostOrder.u64(segment, offset + SIZE));
    }

    /// Writes it at that offset.
    public static void encode(SparseMmapArea sparseMmapArea, MemorySegment segment, long offset) {
        HostOrder.putU64(segment, offset + OFFSET, sparseMmapArea.offset);
        HostOrder.putU64(segment, offset + SIZE, sparseMmapArea.size);
    }
}
