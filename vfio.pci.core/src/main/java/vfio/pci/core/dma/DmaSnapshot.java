// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The mappings at one time, sorted by address, with a count of who uses them.
final class DmaSnapshot {
    static final DmaSnapshot EMPTY = new DmaSnapshot(new DmaEntry[0]);

    private final DmaEntry[] entries;
    private final AtomicInteger users = new AtomicInteger();

    private DmaSnapshot(DmaEntry[] entries) {
        this.entries = entries;
    }

    DmaSnapshot copy() {
        return new DmaSnapshot(entries);
    }

    void enter() {
        users.incrementAndGet();
    }

    void leave() {
        users.decrementAndGet();
    }

    boolean unused() {
        return users.get() == 0;
    }

    int size() {
        return entries.length;
    }

    List<DmaEntry> entries() {
        return Arrays.asList(entries);
    }

    /// The entry that holds the address, or null.
    DmaEntry find(long address) {
        int at = indexAtOrBefore(address);
        return at >= 0 && entries[at].holds(address) ? entries[at] : null;
    }

    /// The entry a transfer goes to.
    DmaEntry reach(long address, boolean write) throws VfioException {
        DmaEntry entry = find(address);
        if (entry == null || entry.memory() == null && entry.remote() == null) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x expected=%s".formatted(address,
                entry == null ? "a mapped address" : "memory that the client gave a file for"));
        }
        if (write ? !entry.writable() : !entry.readable()) {
            throw new VfioException(Errno.EACCES, "iova=0x%x expected=memory that may be %s"
                .formatted(address, write ? "written" : "read"));
        }
        return entry;
    }

    DmaSnapshot with(DmaEntry entry) throws VfioException {
        int at = indexAtOrBefore(entry.iova()) + 1;
        for (int i = Math.max(0, at - 1); i < Math.min(entries.length, at + 1); i++) {
            if (entries[i].overlaps(entry)) {
                throw new VfioException(Errno.EEXIST, "iova=0x%x size=0x%x overlaps iova=0x%x size=0x%x"
                    .formatted(entry.iova(), entry.size(), entries[i].iova(), entries[i].size()));
            }
        }
        DmaEntry[] next = new DmaEntry[entries.length + 1];
        System.arraycopy(entries, 0, next, 0, at);
        next[at] = entry;
        System.arraycopy(entries, at, next, at + 1, entries.length - at);
        return new DmaSnapshot(next);
    }

    /// @param gone some of the entries, in their order here
    DmaSnapshot without(List<DmaEntry> gone) {
        DmaEntry[] next = new DmaEntry[entries.length - gone.size()];
        int kept = 0;
        int left = 0;
        for (DmaEntry entry : entries) {
            if (left < gone.size() && gone.get(left) == entry) {
                left++;
            } else {
                next[kept++] = entry;
            }
        }
        return new DmaSnapshot(next);
    }

    private int indexAtOrBefore(long address) {
        int low = 0;
        int high = entries.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (Long.compareUnsigned(entries[middle].iova(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }
}
