// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U32;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_mig_data`: of MIG_DATA_READ and MIG_DATA_WRITE; the data follows where it travels.
public final class MigDataLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U32.withName("argsz"),
        U32.withName("size")).withName("vfio_user_mig_data");
    /// Its bytes without data.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `argsz` is.
    public static final long ARGSZ = HostOrder.offset(LAYOUT, "argsz");
    /// Where `size` is.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");

    private MigDataLayout() {
    }

    /// The fields.
    ///
    /// @param argsz u32
    /// @param size u32
    public record MigData(long argsz, long size) {
    }

    /// Reads it at that offset.
    public static MigData decode(MemorySegment segment, long offset) {
        return new MigData(HostOrder.u32(segment, offset + ARGSZ), HostOrder.u32(segment, offset + SIZE));
    }

    /// Writes it at that offset.
    public static void encode(MigData migData, MemorySegment segment, long offset) {
        HostOrder.putU32(segment, offset + ARGSZ, migData.argsz);
        HostOrder.putU32(segment, offset + SIZE, migData.size);
    }
}
