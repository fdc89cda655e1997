// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.util.NavigableMap;
import java.util.TreeMap;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// What a client has mapped by now, counted against its limits. Belongs to the connection's turn.
public final class DmaLedger {
    private final ClientLimits limits;
    private final NavigableMap<Long, Long> sizes = new TreeMap<>(Long::compareUnsigned);
    private long bytes;

    /// An empty one.
    public DmaLedger(ClientLimits limits) {
        this.limits = limits;
    }

    /// Whether a mapping of that size would be within the limits.
    ///
    /// @throws VfioException ENOSPC when it would be one too many, ENOMEM when it would be too large
    void require(long size) throws VfioException {
        if (sizes.size() >= limits.dmaMaps()) {
            throw new VfioException(Errno.ENOSPC, "maps=0x%x expected=at most that many".formatted(sizes.size()));
        }
        if (size > limits.dmaBytes() - bytes) {
            throw new VfioException(Errno.ENOMEM, "mapped=0x%x size=0x%x expected=at most 0x%x".formatted(bytes, size, limits.dmaBytes()));
        }
    }

    void add(long iova, long size) {
        sizes.put(iova, size);
        bytes += size;
    }

    void remove(long iova, long size) {
        NavigableMap<Long, Long> gone = sizes.subMap(iova, true, iova + size - 1, true);
        bytes -= gone.values().stream().mapToLong(Long::longValue).sum();
        gone.clear();
    }

    void removeAll() {
        sizes.clear();
        bytes = 0;
    }
}
