// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.dma.RemoteMemory;
import vfio.pci.api.function.Bar;
import vfio.pci.api.mediation.DmaWindow;

/// One mapping with the memory behind it, or with none.
///
/// @param owner whose it is
/// @param memory null when it is not mapped here
/// @param part the file it is mapped of, null when it is of none
/// @param remote how it is reached when it is not mapped, null when it cannot be
record DmaEntry(Object owner, long iova, long size, boolean readable, boolean writable, MemorySegment memory, FilePart part,
        RemoteMemory remote) {
    /// Maps the backing, which is taken also when this throws.
    static DmaEntry of(Object owner, ClientFiles files, DmaMapping from) throws VfioException {
        return switch (from.backing()) {
            case DmaBacking.Unreachable() -> entry(owner, from, null);
            case DmaBacking.Remote(RemoteMemory memory) -> remote(owner, from, memory);
            case DmaBacking.FileIo file -> byFile(owner, files, from, file);
            case DmaBacking.Segment(MemorySegment memory) -> {
                if (memory.byteSize() != from.size()) {
                    throw new VfioException(Errno.EINVAL,
                        "size=0x%x memory=0x%x expected=the same".formatted(from.size(), memory.byteSize()));
                }
                if (from.writable() && memory.isReadOnly()) {
                    throw new VfioException(Errno.EACCES, "iova=0x%x memory=read-only expected=memory that may be written"
                        .formatted(from.iova()));
                }
                yield entry(owner, from, memory);
            }
            case DmaBacking.File file -> mapped(owner, files, from, file);
        };
    }

    private static DmaEntry mapped(Object owner, ClientFiles files, DmaMapping from, DmaBacking.File file) throws VfioException {
        checkLength(from, file.fd(), file.offset());
        FilePart part = files.map(file.fd(), file.offset(), from.size(), from.writable());
        return new DmaEntry(owner, from.iova(), from.size(), from.readable(), from.writable(), part.memory(), part, null);
    }

    private static DmaEntry byFile(Object owner, ClientFiles files, DmaMapping from, DmaBacking.FileIo file) throws VfioException {
        checkLength(from, file.fd(), file.offset());
        return remote(owner, from, new FileMemory(files.open(file.fd(), file.offset()), from.iova(), file.offset()));
    }

    /// Closes the file when it throws.
    private static void checkLength(DmaMapping from, OwnedFd fd, long offset) throws VfioException {
        boolean fits = false;
        try {
            long length = Fd.size(fd);
            fits = offset >= 0 && offset % Bar.PAGE_SIZE == 0 && offset <= length - from.size();
            if (!fits) {
                throw new VfioException(Errno.EINVAL, "offset=0x%x size=0x%x file=0x%x expected=whole pages within the file"
                    .formatted(offset, from.size(), length));
            }
        } finally {
            if (!fits) {
                fd.close();
            }
        }
    }

    private static DmaEntry entry(Object owner, DmaMapping from, MemorySegment memory) {
        return new DmaEntry(owner, from.iova(), from.size(), from.readable(), from.writable(), memory, null, null);
    }

    private static DmaEntry remote(Object owner, DmaMapping from, RemoteMemory memory) {
        return new DmaEntry(owner, from.iova(), from.size(), from.readable(), from.writable(), null, null, memory);
    }

    /// Whether the bytes of a transfer are still in the file. To be asked after it and before its result is believed.
    boolean stillHolds(long address, long count) {
        return part == null || part.holds(address - iova + count);
    }

    DmaWindow window() {
        return new DmaWindow(iova, size, readable, writable);
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
        if (part != null) {
            part.close();
        }
        if (remote != null) {
            remote.close();
        }
    }
}
