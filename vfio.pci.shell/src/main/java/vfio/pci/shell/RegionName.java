// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import vfio.pci.api.device.RegionIndex;

/// What people call the fixed regions.
final class RegionName {
    private static final List<String> NAMES = List.of("bar0", "bar1", "bar2", "bar3", "bar4", "bar5", "rom", "config", "vga");

    private RegionName() {
    }

    /// The region of that name.
    static Optional<Integer> index(String name) {
        int index = NAMES.indexOf(name.toLowerCase(Locale.ROOT));
        return index < 0 ? Optional.empty() : Optional.of(index);
    }

    /// The name of a region; a device-specific one is called by its number.
    static String of(int index) {
        return index < RegionIndex.FIRST_SPECIFIC ? NAMES.get(index) : Integer.toString(index);
    }

    /// All names, for a message.
    static String all() {
        return String.join(", ", NAMES);
    }
}
