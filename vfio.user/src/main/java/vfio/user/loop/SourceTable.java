// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Sources by key. A key is never given twice, so that a report which is older than a removal finds nothing.
final class SourceTable {
    static final long NO_KEY = -1;

    private Source[] slots = new Source[16];
    private long generation;

    /// Gives it a key: slot in the low half, a number that only grows in the high half.
    void add(Source source) {
        int slot = free();
        slots[slot] = source;
        source.key = ++generation << Integer.SIZE | slot;
    }

    /// The source of that key, or null: this is asked for each report, and an empty answer is rare.
    Source get(long key) {
        int slot = (int) key;
        Source source = slot >= 0 && slot < slots.length ? slots[slot] : null;
        return source != null && source.key == key ? source : null;
    }

    /// Takes it out.
    ///
    /// @return false when it was not in here
    boolean remove(Source source) {
        if (get(source.key) != source) {
            return false;
        }
        slots[(int) source.key] = null;
        source.key = NO_KEY;
        return true;
    }

    List<Source> all() {
        List<Source> all = new ArrayList<>();
        for (Source source : slots) {
            if (source != null) {
                all.add(source);
            }
        }
        return all;
    }

    private int free() {
        for (int slot = 0; slot < slots.length; slot++) {
            if (slots[slot] == null) {
                return slot;
            }
        }
        slots = Arrays.copyOf(slots, slots.length * 2);
        return slots.length / 2;
    }
}
