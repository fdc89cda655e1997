// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// Memory of a file, shared with everybody else who maps it (mmap, MAP_SHARED).
///
/// A file that another process can shrink takes its pages away from below a mapping. An access then throws [InternalError],
/// possibly a little later: map what is sealed against it, or check [Fd#size()].
public final class Mapping implements AutoCloseable {
    private static final int PROT_READ = 0x1;
    private static final int PROT_WRITE = 0x2;
    private static final int MAP_SHARED = 0x01;
    private static final int MAP_PRIVATE = 0x02;
    private static final int MAP_ANONYMOUS = 0x20;

    // sysconf(_SC_PAGESIZE); the number 30 is that of both libraries, glibc and musl.
    private static final long PAGE_SIZE = Libc.callLong(Libc.SYSCONF, 30, 0, 0, 0, 0, 0);

    private final Arena arena;
    private final MemorySegment memory;

    private Mapping(long address, long size, boolean write) {
        arena = Arena.ofShared();
        MemorySegment mapped = MemorySegment.ofAddress(address).reinterpret(size, arena, Mapping::unmap);
        memory = write ? mapped : mapped.asReadOnly();
    }

    /// Maps a range of a file. The descriptor may be closed afterwards.
    ///
    /// @param offset in bytes, a multiple of the page size
    /// @param size in bytes, more than 0; whether the file is that long is not checked, since a device has no length
    /// @throws VfioException EINVAL for an offset or size that is out of shape, EACCES or EPERM when the file does not permit it,
    ///         ENODEV when it cannot be mapped, ENOMEM when there is no room
    public static Mapping of(OwnedFd fd, long offset, long size, boolean read, boolean write) throws VfioException {
        if (offset < 0 || offset % PAGE_SIZE != 0 || size <= 0 || offset > Long.MAX_VALUE - size) {
            throw new VfioException(Errno.EINVAL, "call=mmap offset=0x" + Long.toHexString(offset) + " size=0x" + Long.toHexString(size)
                    + " page=0x" + Long.toHexString(PAGE_SIZE));
        }
        int number = Fd.enter(fd);
        try {
            return map(size, (read ? PROT_READ : 0) | (write ? PROT_WRITE : 0), MAP_SHARED, number, offset);
        } finally {
            Fd.leave(fd);
        }
    }

    /// Maps zeroed memory that belongs to no file, readable and writable.
    ///
    /// @throws VfioException EINVAL when the size is not more than 0, ENOMEM when there is no room
    public static Mapping anonymous(long size) throws VfioException {
        if (size <= 0) {
            throw new VfioException(Errno.EINVAL, "call=mmap size=0x" + Long.toHexString(size));
        }
        return map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }

    private static Mapping map(long size, int protection, int flags, int number, long offset) throws VfioException {
        long address = Libc.callLong(Libc.MMAP, 0, size, protection, flags, number, offset);
        if (address < 0) {
            throw Libc.failure("mmap", address, "fd=" + number + " offset=0x" + Long.toHexString(offset)
                    + " size=0x" + Long.toHexString(size) + " protection=0x" + Integer.toHexString(protection));
        }
        return new Mapping(address, size, (protection & PROT_WRITE) != 0);
    }

    /// The memory, of exactly the size asked for; read-only where it was mapped without write. Any thread may use it. After the
    /// close an access throws [IllegalStateException].
    public MemorySegment memory() {
        return memory;
    }

    /// Takes the mapping away; a second call has no effect. May be called by any thread, also while others access the memory: they
    /// get an exception. It stops all threads for a moment (0.15 to 7 ms), so it has no place on an access path.
    ///
    /// Hot calls of this bundle use plain addresses and are *not* seen here: none may be using this memory.
    ///
    /// @throws IllegalStateException when a native call of somebody else holds the memory; the mapping stays
    @Override
    public void close() {
        synchronized (arena) {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }

    private static void unmap(MemorySegment mapped) {
        // It cannot fail for a range that mmap returned.
        Libc.call(Libc.MUNMAP, mapped.address(), mapped.byteSize());
    }
}
