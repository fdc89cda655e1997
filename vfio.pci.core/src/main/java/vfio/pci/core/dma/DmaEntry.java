// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import linux.sys.Mapping;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.function.Bar;

/// One mapping with the memory behind it, or with none.
///
/// @param owner whose it is
/// @param files where the mapping is counted
/// @param memory null when it cannot be reached
/// @param mapping what to give back at the end, null when there is nothing
record DmaEntry(Object owner, MappedFiles files, long iova, long size, boolean readable, boolean writable, MemorySegment memory,
        Mapping mapping) {
    /// Maps the backing, which is taken also when this throws.
    static DmaEntry of(Object owner, MappedFiles files, DmaMapping from) throws VfioException {
        return switch (from.backing()) {
            case DmaBacking.Unreachable() -> entry(owner, files, from, null, null);
            case DmaBacking.Segment(MemorySegment memory) -> {
                if (memory.byteSize() != from.size()) {
                    throw new VfioException(Errno.EINVAL,
                        "size=0x%x memory=0x%x expected=the same".formatted(from.size(), memory.byteSize()));
                }
                if (from.writable() && memory.isReadOnly()) {
                    throw new VfioException(Errno.EACCES, "iova=0x%x memory=read-only expected=memory that may be written"
                        .formatted(from.iova()));
                }
                yield entry(owner, files, from, memory, null);
            }
            case DmaBacking.File file -> {
                try (var fd = file.fd()) {
                    long length = Fd.size(fd);
                    if (file.offset() < 0 || file.offset() % Bar.PAGE_SIZE != 0 || file.offset() > length - from.size()) {
                        throw new VfioException(Errno.EINVAL, "offset=0x%x size=0x%x file=0x%x expected=whole pages within the file"
                            .formatted(file.offset(), from.size(), length));
                    }
                    Mapping mapping = map(fd, file.offset(), from, files);
                    yield entry(owner, files, from, mapping.memory(), mapping);
                }
            }
        };
    }

    private static Mapping map(OwnedFd fd, long offset, DmaMapping from, MappedFiles files) throws VfioException {
        files.take();
        boolean mapped = false;
        try {
            Mapping mapping = Mapping.of(fd, offset, from.size(), true, from.writable());
            mapped = true;
            return mapping;
        } finally {
            if (!mapped) {
                files.giveBack();
            }
        }
    }

    private static DmaEntry entry(Object owner, MappedFiles files, DmaMapping from, MemorySegment memory, Mapping mapping) {
        return new DmaEntry(owner, files, from.iova(), from.size(), from.readable(), from.writable(), memory, mapping);
    }

    boolean holds(long address) {
        return address - iova >= 0 && address - iova < size;
    }

    /// Bytes from an address in it to its end.
    long remaining(long address) {
        return size - (address - iova);
    }

    boolean overlaps(DmaEntry other) {
        return overlaps(other.iova, other.size);
    }

    boolean overlaps(long otherIova, long otherSize) {
        return Long.compareUnsigned(iova, otherIova + otherSize - 1) <= 0 && Long.compareUnsigned(otherIova, last()) <= 0;
    }

    boolean within(long otherIova, long otherSize) {
        return Long.compareUnsigned(iova, otherIova) >= 0 && Long.compareUnsigned(last(), otherIova + otherSize - 1) <= 0;
    }

    long last() {
        return iova + size - 1;
    }

    void release() {
        if (mapping != null) {
            mapping.close();
            files.giveBack();
        }
    }
}
