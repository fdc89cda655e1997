// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import java.util.OptionalInt;
import java.util.OptionalLong;

/// What one side of a connection says of itself in VERSION; what it does not say has the default of the protocol.
///
/// @param maxMsgFds `max_msg_fds`: files it takes in one message; 1 if not said
/// @param maxDataXferSize `max_data_xfer_size`: bytes of data it takes in one message; 1 MiB if not said
/// @param maxDmaMaps `max_dma_maps`: mappings valid at once; 65535 if not said
/// @param pgsizes `pgsizes`: page sizes for DMA_MAP, or-ed; 4 KiB if not said
/// @param writeMultiple `write_multiple`: REGION_WRITE_MULTI can be used
/// @param twinSocket `twin_socket.supported`: commands of the server may travel on a second socket
/// @param twinSocketFdIndex `twin_socket.fd_index`: which of the files of the reply that socket is
/// @param disablableAreas `x_disablable_areas`, this project's own: the client understands [CapDisablableLayout] and wants it
public record VersionCapabilities(OptionalInt maxMsgFds, OptionalLong maxDataXferSize, OptionalLong maxDmaMaps, OptionalLong pgsizes,
        boolean writeMultiple, boolean twinSocket, OptionalInt twinSocketFdIndex, boolean disablableAreas) {
    /// Nothing said.
    public static final VersionCapabilities NONE = new VersionCapabilities(OptionalInt.empty(), OptionalLong.empty(), OptionalLong.empty(),
        OptionalLong.empty(), false, false, OptionalInt.empty(), false);
    /// `max_msg_fds` of who does not say.
    public static final int DEFAULT_MAX_MSG_FDS = 1;
    /// `max_data_xfer_size` of who does not say, `VFIO_USER_DEFAULT_MAX_DATA_XFER_SIZE`.
    public static final int DEFAULT_MAX_DATA_XFER_SIZE = 1 << 20;
    /// `max_dma_maps` of who does not say.
    public static final int DEFAULT_MAX_DMA_MAPS = 0xFFFF;
    /// `pgsizes` of who does not say.
    public static final long DEFAULT_PGSIZES = 4096;

    /// The same with this number of files.
    public VersionCapabilities withMaxMsgFds(int fds) {
        return new VersionCapabilities(OptionalInt.of(fds), maxDataXferSize, maxDmaMaps, pgsizes, writeMultiple, twinSocket,
            twinSocketFdIndex, disablableAreas);
    }

    /// The same with this size of data.
    public VersionCapabilities withMaxDataXferSize(long size) {
        return new VersionCapabilities(maxMsgFds, OptionalLong.of(size), maxDmaMaps, pgsizes, writeMultiple, twinSocket,
            twinSocketFdIndex, disablableAreas);
    }

    /// The same with this number of mappings.
    public VersionCapabilities withMaxDmaMaps(long maps) {
        return new VersionCapabilities(maxMsgFds, maxDataXferSize, OptionalLong.of(maps), pgsizes, writeMultiple, twinSocket,
            twinSocketFdIndex, disablableAreas);
    }

    /// The same with these page sizes.
    public VersionCapabilities withPgsizes(long sizes) {
        return new VersionCapabilities(maxMsgFds, maxDataXferSize, maxDmaMaps, OptionalLong.of(sizes), writeMultiple, twinSocket,
            twinSocketFdIndex, disablableAreas);
    }


    /// The same with a second socket, as a server grants it.
    ///
    /// @param fdIndex which file of the reply it is
    public VersionCapabilities withTwinSocket(int fdIndex) {
        return new VersionCapabilities(maxMsgFds, maxDataXferSize, maxDmaMaps, pgsizes, writeMultiple, true, OptionalInt.of(fdIndex),
            disablableAreas);
    }

    /// The same, with or without REGION_WRITE_MULTI.
    public VersionCapabilities withWriteMultiple(boolean supported) {
        return new VersionCapabilities(maxMsgFds, maxDataXferSize, maxDmaMaps, pgsizes, supported, twinSocket, twinSocketFdIndex,
            disablableAreas);
    }

    /// The same, with or without a second socket for commands of the server; a server adds which of its files that is.
    public VersionCapabilities withTwinSocket(boolean supported) {
        return new VersionCapabilities(maxMsgFds, maxDataXferSize, maxDmaMaps, pgsizes, writeMultiple, supported, twinSocketFdIndex,
            disablableAreas);
    }

    /// The same, with or without the capability that says which areas are disablable.
    public VersionCapabilities withDisablableAreas(boolean wanted) {
        return new VersionCapabilities(maxMsgFds, maxDataXferSize, maxDmaMaps, pgsizes, writeMultiple, twinSocket, twinSocketFdIndex,
            wanted);
    }
}
