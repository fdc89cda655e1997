// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U64;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_bitmap`, only in libvfio-user's header; the bits follow where they travel.
public final class BitmapLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U64.withName("pgsize"), U64.withName("size"))
        .withName("vfio_user_bitmap");
    /// Its bytes without the bits.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `pgsize` is: bytes a bit stands for.
    public static final long PGSIZE = HostOrder.offset(LAYOUT, "pgsize");
    /// Where `size` is: bytes of the bits.
    public static final long SIZE = HostOrder.offset(LAYOUT, "size");

    private BitmapLayout() {
    }
}
