// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.RemoteMemory;

/// A file that is read and written through a buffer. What its owner does to it is an errno here and nothing worse.
final class FileMemory implements RemoteMemory {
    private static final int BUFFER = 0x10000;

    private final OwnedFd fd;
    private final long iova;
    private final long offset;
    /// Of one transfer at a time, which holds the lock of this object; null until the first.
    private Arena buffer;
    private MemorySegment bytes;
    private boolean closed;

    /// @param fd taken
    FileMemory(OwnedFd fd, long iova, long offset) {
        this.fd = fd;
        this.iova = iova;
        this.offset = offset;
    }

    @Override
    public synchronized void read(long from, MemorySegment destination, long destinationOffset, long count) throws VfioException {
        MemorySegment through = buffer();
        for (long done = 0; done < count;) {
            int part = (int) Math.min(BUFFER, count - done);
            check(Fd.readAt(fd, offset + (from - iova) + done, through, 0, part), part, from + done);
            MemorySegment.copy(through, 0, destination, destinationOffset + done, part);
            done += part;
        }
    }

    @Override
    public synchronized void write(long to, MemorySegment source, long sourceOffset, long count) throws VfioException {
        MemorySegment through = buffer();
        for (long done = 0; done < count;) {
            int part = (int) Math.min(BUFFER, count - done);
            MemorySegment.copy(source, sourceOffset + done, through, 0, part);
            if (Fd.size(fd) < offset + (to - iova) + done + part) {
                // A write would make the file longer again.
                check(0, part, to + done);
            }
            check(Fd.writeAt(fd, offset + (to - iova) + done, through, 0, part), part, to + done);
            done += part;
        }
    }

    private MemorySegment buffer() throws VfioException {
        if (closed) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x expected=a mapping".formatted(iova));
        }
        if (buffer == null) {
            buffer = Arena.ofShared();
            bytes = buffer.allocate(BUFFER);
        }
        return bytes;
    }

    private static void check(int result, int expected, long at) throws VfioException {
        if (result != expected) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x count=0x%x result=%d expected=a file that is still as long"
                .formatted(at, expected, result));
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            fd.close();
            if (buffer != null) {
                buffer.close();
            }
        }
    }
}
