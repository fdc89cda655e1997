// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.dma.RemoteMemory;
import vfio.pci.api.function.Bar;

/// One mapping with the memory behind it, or with none.
///
/// @param owner whose it is
/// @param files where it is counted if it is of a file
/// @param memory null when it is not mapped here
/// @param mapping what to give back at the end, null when there is nothing
/// @param unsealed the file behind it if it can be cut short, else null
/// @param remote how it is reached when it is not mapped, null when it cannot be
record DmaEntry(Object owner, MappedFiles files, long iova, long size, boolean readable, boolean writable, MemorySegment memory,
        Mapping mapping, UnsealedFile unsealed, RemoteMemory remote) {
    /// Maps the backing, which is taken also when this throws.
    static DmaEntry of(Object owner, MappedFiles files, DmaMapping from) throws VfioException {
        return switch (from.backing()) {
            case DmaBacking.Unreachable() -> entry(owner, files, from, null);
            case DmaBacking.Remote(RemoteMemory memory) -> remote(owner, files, from, memory);
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
                yield entry(owner, files, from, memory);
            }
            case DmaBacking.File file -> mapped(owner, files, from, file);
        };
    }

    private static DmaEntry mapped(Object owner, MappedFiles files, DmaMapping from, DmaBacking.File file) throws VfioException {
        OwnedFd fd = file.fd();
        boolean kept = false;
        try {
            checkLength(from, fd, file.offset());
            int seals = Memfd.seals(fd);
            boolean sealed = seals >= 0 && (seals & Memfd.SEAL_SHRINK) != 0;
            Mapping mapping = map(fd, file.offset(), from, files);
            kept = !sealed;
            UnsealedFile unsealed = sealed ? null : new UnsealedFile(fd, file.offset());
            return new DmaEntry(owner, files, from.iova(), from.size(), from.readable(), from.writable(), mapping.memory(), mapping,
                unsealed, null);
        } finally {
            if (!kept) {
                fd.close();
            }
        }
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

    private static DmaEntry byFile(Object owner, MappedFiles files, DmaMapping from, DmaBacking.FileIo file) throws VfioException {
        boolean checked = false;
        try {
            checkLength(from, file.fd(), file.offset());
            files.take();
            checked = true;
            return remote(owner, files, from, new FileMemory(file.fd(), from.iova(), file.offset()));
        } finally {
            if (!checked) {
                file.fd().close();
            }
        }
    }

    private static void checkLength(DmaMapping from, OwnedFd fd, long offset) throws VfioException {
        long length = Fd.size(fd);
        if (offset < 0 || offset % Bar.PAGE_SIZE != 0 || offset > length - from.size()) {
            throw new VfioException(Errno.EINVAL, "offset=0x%x size=0x%x file=0x%x expected=whole pages within the file"
                .formatted(offset, from.size(), length));
        }
    }

    private static DmaEntry entry(Object owner, MappedFiles files, DmaMapping from, MemorySegment memory) {
        return new DmaEntry(owner, files, from.iova(), from.size(), from.readable(), from.writable(), memory, null, null, null);
    }

    private static DmaEntry remote(Object owner, MappedFiles files, DmaMapping from, RemoteMemory memory) {
        return new DmaEntry(owner, files, from.iova(), from.size(), from.readable(), from.writable(), null, null, null, memory);
    }

    /// Whether the bytes of a transfer are still in the file. To be asked after it and before its result is believed.
    boolean stillHolds(long address, long count) {
        return unsealed == null || unsealed.holds(address - iova + count);
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
        }
        if (unsealed != null) {
            unsealed.close();
        }
        if (remote != null) {
            remote.close();
        }
        if (mapping != null || remote instanceof FileMemory) {
            files.giveBack();
        }
    }
}
