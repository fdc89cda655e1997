// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.util.Optional;
import linux.sys.Fd;
import vfio.pci.api.device.RegionInfo;

/// What a server says of a region.
///
/// @param info the region, which areas can be mapped, and what it is
/// @param file behind the areas that can be mapped, if it was sent; the holder's to close
/// @param offset of the region's byte 0 in that file
public record RegionAnswer(RegionInfo info, Optional<Fd> file, long offset) implements AutoCloseable {
    /// Closes the file.
    @Override
    public void close() {
        file.ifPresent(Fd::close);
    }
}
