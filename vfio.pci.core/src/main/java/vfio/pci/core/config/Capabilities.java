// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/// The standard capabilities of a function by id, with their offsets; the first of each id. Walked with a bound, for a list may be cyclic.
final class Capabilities {
    private final Map<Integer, Integer> offsets = new LinkedHashMap<>();

    /// Walks the list of a raw config space.
    static Capabilities of(byte[] config) {
        Capabilities found = new Capabilities();
        if ((u16(config, ConfigLayout.STATUS) & ConfigLayout.STATUS_CAP_LIST) == 0) {
            return found;
        }
        BitSet seen = new BitSet();
        int at = config[ConfigLayout.CAPABILITY_LIST] & 0xFC;
        while (at >= ConfigLayout.STD_HEADER_SIZE && !seen.get(at)) {
            seen.set(at);
            if (at + length(config, at) <= ConfigLayout.CFG_SPACE_SIZE) {
                found.offsets.putIfAbsent(config[at] & 0xFF, at);
            }
            at = config[at + 1] & 0xFC;
        }
        return found;
    }

    /// Bytes of a capability that the core looks at; a broken function may have one that does not fit.
    private static int length(byte[] config, int at) {
        return switch (config[at] & 0xFF) {
            case ConfigLayout.CAP_ID_PM -> ConfigLayout.PM_SIZEOF;
            case ConfigLayout.CAP_ID_MSI -> {
                int flags = u16(config, at + ConfigLayout.MSI_FLAGS);
                int wide = (flags & ConfigLayout.MSI_FLAGS_64BIT) != 0 ? 4 : 0;
                yield wide + ((flags & ConfigLayout.MSI_FLAGS_MASKBIT) != 0 ? ConfigLayout.MSI_SIZEOF_MASK : ConfigLayout.MSI_SIZEOF);
            }
            case ConfigLayout.CAP_ID_EXP -> ConfigLayout.EXP_SIZEOF_DEVICE;
            case ConfigLayout.CAP_ID_MSIX -> ConfigLayout.MSIX_SIZEOF;
            default -> 0;
        };
    }

    OptionalInt offset(int id) {
        Integer offset = offsets.get(id);
        return offset == null ? OptionalInt.empty() : OptionalInt.of(offset);
    }

    static int u16(byte[] config, int offset) {
        return config[offset] & 0xFF | (config[offset + 1] & 0xFF) << 8;
    }

    static int u32(byte[] config, int offset) {
        return u16(config, offset) | u16(config, offset + 2) << 16;
    }
}
