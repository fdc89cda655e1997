// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// `struct statx` (linux/stat.h), chosen over `struct stat` because it is the same on every architecture.
final class StatxLayout {
    static final StructLayout LAYOUT = MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("stx_mask"),
            ValueLayout.JAVA_INT.withName("stx_blksize"),
            ValueLayout.JAVA_LONG.withName("stx_attributes"),
            ValueLayout.JAVA_INT.withName("stx_nlink"),
            ValueLayout.JAVA_INT.withName("stx_uid"),
            ValueLayout.JAVA_INT.withName("stx_gid"),
            ValueLayout.JAVA_SHORT.withName("stx_mode"),
            MemoryLayout.paddingLayout(2),
            ValueLayout.JAVA_LONG.withName("stx_ino"),
            ValueLayout.JAVA_LONG.withName("stx_size"),
            // Blocks, times, the device a special file stands for: nothing here reads them.
            MemoryLayout.paddingLayout(88),
            ValueLayout.JAVA_INT.withName("stx_dev_major"),
            ValueLayout.JAVA_INT.withName("stx_dev_minor"),
            // What later kernels added, and reserved space.
            MemoryLayout.paddingLayout(112)).withName("statx");

    static final long MODE = LAYOUT.byteOffset(PathElement.groupElement("stx_mode"));
    static final long INO = LAYOUT.byteOffset(PathElement.groupElement("stx_ino"));
    static final long DEV_MAJOR = LAYOUT.byteOffset(PathElement.groupElement("stx_dev_major"));
    static final long DEV_MINOR = LAYOUT.byteOffset(PathElement.groupElement("stx_dev_minor"));
    static final long SIZE = LAYOUT.byteOffset(PathElement.groupElement("stx_size"));

    private StatxLayout() {
    }
}
