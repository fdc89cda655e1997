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
            found.offsets.putIfAbsent(config[at] & 0xFF, at);
            at = config[at + 1] & 0xFC;
        }
        return found;
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
