// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.RemoteMemory;

/// A file that is read and written through a buffer, which lives as long as a transfer: a client may have any number of such mappings. What
/// its owner does to the file is an errno here and nothing worse.
final class FileMemory implements RemoteMemory {
    private static final int MOST_AT_ONCE = 0x10000;

    private final FilePart part;
    private final OwnedFd fd;
    private final long iova;
    private final long offset;
    /// Guarded by this object's lock, which a transfer holds: an unmap waits for it.
    private boolean closed;

    /// @param part taken
    FileMemory(FilePart part, long iova, long offset) {
        this.part = part;
        fd = part.fd();
        this.iova = iova;
        this.offset = offset;
    }

    @Override
    public synchronized void read(long from, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        checkOpen();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment through = arena.allocate(Math.min(count, MOST_AT_ONCE));
            for (long done = 0; done < count;) {
                int part = (int) Math.min(MOST_AT_ONCE, count - done);
                check(Fd.readAt(fd, offset + (from - iova) + done, through, 0, part), part, from + done);
                MemorySegment.copy(through, 0, destination, destinationOffset + done, part);
                done += part;
            }
        }
    }

    @Override
    public synchronized void write(long to, MemorySegment source, long sourceOffset, long count) throws VfioException {
        checkOpen();
        long at = offset + (to - iova);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment through = arena.allocate(Math.min(count, MOST_AT_ONCE));
            for (long done = 0; done < count;) {
                int part = (int) Math.min(MOST_AT_ONCE, count - done);
                if (Fd.size(fd) < at + done + part) {
                    // Writing would make it as long again.
                    throw cutShort(to + done, part, 0);
                }
                MemorySegment.copy(source, sourceOffset + done, through, 0, part);
                check(Fd.writeAt(fd, at + done, through, 0, part), part, to + done);
                done += part;
            }
        }
    }

    private void checkOpen() throws VfioException {
        if (closed) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x expected=a mapping".formatted(iova));
        }
    }

    private static void check(int result, int expected, long at) throws VfioException {
        if (result != expected) {
            throw cutShort(at, expected, result);
        }
    }

    private static VfioException cutShort(long at, int expected, int result) {
        return new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x result=%d expected=a file that is still as long"
            .formatted(at, expected, result));
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            part.close();
        }
    }
}
