// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The mappings at one time, sorted by address, with a count of who uses them.
///
/// They stand in chunks, which snapshots share: one more or one less costs a copy of one chunk and of the list of chunks, or a client that
/// maps page by page would have everything copied each time.
final class DmaSnapshot {
    /// One that is full is split. Two neighbours that are half of it together are made one.
    private static final int MOST_IN_CHUNK = 256;

    /// None is empty.
    private final DmaEntry[][] chunks;
    private final int size;
    private final AtomicInteger users = new AtomicInteger();

    private DmaSnapshot(DmaEntry[][] chunks, int size) {
        this.chunks = chunks;
        this.size = size;
    }

    static DmaSnapshot empty() {
        return new DmaSnapshot(new DmaEntry[0][], 0);
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
        return size;
    }

    void forEach(Consumer<DmaEntry> each) {
        for (DmaEntry[] chunk : chunks) {
            for (DmaEntry entry : chunk) {
                each.accept(entry);
            }
        }
    }

    /// The entries that a range touches, in order.
    ///
    /// @param bytes at least 1, and the range does not wrap
    List<DmaEntry> touching(long iova, long bytes) {
        List<DmaEntry> found = new ArrayList<>();
        long last = iova + bytes - 1;
        for (int c = Math.max(0, chunkOf(iova)); c < chunks.length; c++) {
            if (Long.compareUnsigned(chunks[c][0].iova(), last) > 0) {
                break;
            }
            for (int i = Math.max(0, indexAtOrBefore(chunks[c], iova)); i < chunks[c].length; i++) {
                if (chunks[c][i].overlaps(iova, bytes)) {
                    found.add(chunks[c][i]);
                } else if (Long.compareUnsigned(chunks[c][i].iova(), last) > 0) {
                    break;
                }
            }
        }
        return found;
    }

    /// The entry that holds the address, or null.
    DmaEntry find(long address) {
        int c = chunkOf(address);
        if (c < 0) {
            return null;
        }
        DmaEntry entry = chunks[c][indexAtOrBefore(chunks[c], address)];
        return entry.holds(address) ? entry : null;
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

    /// Requires that nothing is where the entry is to be.
    void checkFree(DmaEntry entry) throws VfioException {
        List<DmaEntry> touched = touching(entry.iova(), entry.size());
        if (!touched.isEmpty()) {
            DmaEntry there = touched.getFirst();
            throw new VfioException(Errno.EEXIST, "iova=0x%x size=0x%x overlaps iova=0x%x size=0x%x"
                .formatted(entry.iova(), entry.size(), there.iova(), there.size()));
        }
    }

    DmaSnapshot with(DmaEntry entry) throws VfioException {
        checkFree(entry);
        if (size == 0) {
            return new DmaSnapshot(new DmaEntry[][] {{entry}}, 1);
        }
        int c = Math.max(0, chunkOf(entry.iova()));
        DmaEntry[] more = insert(chunks[c], indexAtOrBefore(chunks[c], entry.iova()) + 1, entry);
        boolean split = more.length > MOST_IN_CHUNK;
        DmaEntry[][] next = new DmaEntry[chunks.length + (split ? 1 : 0)][];
        System.arraycopy(chunks, 0, next, 0, c);
        System.arraycopy(chunks, c + 1, next, c + (split ? 2 : 1), chunks.length - c - 1);
        next[c] = split ? Arrays.copyOf(more, more.length / 2) : more;
        if (split) {
            next[c + 1] = Arrays.copyOfRange(more, more.length / 2, more.length);
        }
        return new DmaSnapshot(next, size + 1);
    }

    private static DmaEntry[] insert(DmaEntry[] chunk, int at, DmaEntry entry) {
        DmaEntry[] more = new DmaEntry[chunk.length + 1];
        System.arraycopy(chunk, 0, more, 0, at);
        more[at] = entry;
        System.arraycopy(chunk, at, more, at + 1, chunk.length - at);
        return more;
    }

    /// @param gone some of the entries, in their order here
    DmaSnapshot without(List<DmaEntry> gone) {
        List<DmaEntry[]> next = new ArrayList<>(chunks.length);
        int left = 0;
        for (DmaEntry[] chunk : chunks) {
            DmaEntry[] kept = chunk;
            if (left < gone.size() && Long.compareUnsigned(gone.get(left).iova(), chunk[chunk.length - 1].iova()) <= 0) {
                kept = keep(chunk, gone, left);
                left += chunk.length - kept.length;
            }
            append(next, kept);
        }
        return new DmaSnapshot(next.toArray(DmaEntry[][]::new), size - gone.size());
    }

    private static DmaEntry[] keep(DmaEntry[] chunk, List<DmaEntry> gone, int from) {
        DmaEntry[] kept = new DmaEntry[chunk.length];
        int count = 0;
        int left = from;
        for (DmaEntry entry : chunk) {
            if (left < gone.size() && gone.get(left) == entry) {
                left++;
            } else {
                kept[count++] = entry;
            }
        }
        return Arrays.copyOf(kept, count);
    }

    private static void append(List<DmaEntry[]> to, DmaEntry[] chunk) {
        if (chunk.length == 0) {
            return;
        }
        if (to.isEmpty() || to.getLast().length + chunk.length > MOST_IN_CHUNK / 2) {
            to.add(chunk);
            return;
        }
        DmaEntry[] before = to.removeLast();
        DmaEntry[] both = Arrays.copyOf(before, before.length + chunk.length);
        System.arraycopy(chunk, 0, both, before.length, chunk.length);
        to.add(both);
    }

    /// The last chunk that begins at or before an address; -1 when none does.
    private int chunkOf(long address) {
        int low = 0;
        int high = chunks.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (Long.compareUnsigned(chunks[middle][0].iova(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    private static int indexAtOrBefore(DmaEntry[] chunk, long address) {
        int low = 0;
        int high = chunk.length - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            if (Long.compareUnsigned(chunk[middle].iova(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }
}
