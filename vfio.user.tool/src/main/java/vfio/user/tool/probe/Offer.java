// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.probe;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import vfio.pci.api.device.DeviceInfo;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.IoEventFdLayout.IoEventFd;

/// What a server offers.
///
/// @param socket where it listens
/// @param version the text of its VERSION, empty when it sent none
/// @param device its answer to DEVICE_GET_INFO
/// @param regions those that were asked for
/// @param irqs those that were asked for
/// @param config the configuration space, if that can be read
/// @param features names of those it has, with what can be done with them
record Offer(Path socket, String version, DeviceInfo device, List<Region> regions, List<IrqInfo> irqs, Optional<ConfigSummary> config,
        Map<String, String> features) {
    /// A region.
    ///
    /// @param info as the server described it
    /// @param fileOffset of its byte 0 in the file that came along, if one did
    /// @param fileSize of that file
    /// @param events sub-regions that can be written by an event
    record Region(RegionInfo info, OptionalLong fileOffset, OptionalLong fileSize, List<IoEventFd> events) {
    }

    static String regionName(int index) {
        return switch (index) {
            case 0, 1, 2, 3, 4, 5 -> "bar" + index;
            case 6 -> "rom";
            case 7 -> "config";
            case 8 -> "vga";
            default -> "specific";
        };
    }

    static String irqName(int index) {
        return switch (index) {
            case 0 -> "intx";
            case 1 -> "msi";
            case 2 -> "msix";
            case 3 -> "err";
            case 4 -> "req";
            default -> "specific";
        };
    }
}
