// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static vfio.user.wire.HostOrder.U16;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/// `struct vfio_user_version`: what client and server agree on; JSON text with a terminating NUL follows, or nothing.
public final class VersionLayout {
    /// The structure.
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(U16.withName("major"),
        U16.withName("minor")).withName("vfio_user_version");
    /// Its bytes without the text.
    public static final int BYTES = (int) LAYOUT.byteSize();
    /// Where `major` is.
    public static final long MAJOR = HostOrder.offset(LAYOUT, "major");
    /// Where `minor` is.
    public static final long MINOR = HostOrder.offset(LAYOUT, "minor");

    private VersionLayout() {
    }

    /// The fields.
    ///
    /// @param major u16
    /// @param minor u16
    public record Version(int major, int minor) {
    }

    /// Reads it at that offset.
    public static Version decode(MemorySegment segment, long offset) {
        return new Version(HostOrder.u16(segment, offset + MAJOR), HostOrder.u16(segment, offset + MINOR));
    }

    /// Writes it at that offset.
    public static void encode(Version version, MemorySegment segment, long offset) {
        HostOrder.putU16(segment, offset + MAJOR, version.major);
        HostOrder.putU16(segment, offset + MINOR, version.minor);
    }
}
