// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.util.LinkedHashMap;
import java.util.Map;

/// Walks capability lists in raw bytes as an operating system does, knowing nothing of how they were built.
public final class CapabilityWalker {
    private static final int STATUS_CAP_LIST = 0x10;

    private CapabilityWalker() {
    }

    /// Offset to id of the conventional list.
    public static Map<Integer, Integer> conventional(byte[] space) {
        Map<Integer, Integer> found = new LinkedHashMap<>();
        if ((space[6] & STATUS_CAP_LIST) == 0) {
            return found;
        }
        for (int at = space[0x34] & 0xFC; at != 0; at = space[at + 1] & 0xFC) {
            if (found.put(at, space[at] & 0xFF) != null) {
                throw new AssertionError("loop at 0x%x".formatted(at));
            }
        }
        return found;
    }

    /// Offset to id of the extended list.
    public static Map<Integer, Integer> extended(byte[] space) {
        Map<Integer, Integer> found = new LinkedHashMap<>();
        int at = 0x100;
        while (at != 0) {
            int header = word(space, at);
            if (found.put(at, header & 0xFFFF) != null) {
                throw new AssertionError("loop at 0x%x".formatted(at));
            }
            if ((header >>> 16 & 0xF) == 0) {
                throw new AssertionError("version 0 at 0x%x".formatted(at));
            }
            at = header >>> 20 & 0xFFC;
        }
        return found;
    }

    /// A little-endian dword.
    public static int word(byte[] space, int at) {
        return space[at] & 0xFF | (space[at + 1] & 0xFF) << 8 | (space[at + 2] & 0xFF) << 16 | space[at + 3] << 24;
    }
}
