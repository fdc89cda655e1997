// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.SharedMemory;

/// A sealed memory file with the core's own map of it. Pages that nobody touches cost nothing.
public final class DeviceMemory implements SharedMemory, AutoCloseable {
    private static final int CLOSED = Integer.MIN_VALUE;

    private final Fd file;
    private final Mapping mapping;
    private final long size;
    /// Calls inside; with [#CLOSED] set the last of them frees it.
    private final AtomicInteger users = new AtomicInteger();

    private DeviceMemory(Fd file, Mapping mapping, long size) {
        this.file = file;
        this.mapping = mapping;
        this.size = size;
    }

    /// New memory, zero.
    ///
    /// @param name shown in /proc, for people
    /// @param size bytes, a multiple of the page
    /// @throws VfioException as the system says, ENOMEM and EMFILE among it
    public static DeviceMemory create(String name, long size) throws VfioException {
        Fd file = Memfd.create(name, size, true);
        try {
            return new DeviceMemory(file, Mapping.of(file, 0, size, true, true), size);
        } catch (VfioException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public MemorySegment memory() {
        return mapping.memory();
    }

    /// Bytes.
    public long size() {
        return size;
    }

    /// The file; lent.
    public OwnedFd file() {
        return file;
    }

    /// A further map of a part of it, owned by the caller.
    ///
    /// @throws VfioException as the system says
    public Mapping map(long offset, long length) throws VfioException {
        return Mapping.of(file, offset, length, true, true);
    }

    /// Keeps the map until [#leave()], whoever closes it meanwhile. For who hands addresses in it to the kernel.
    ///
    /// @return false when it was closed
    public boolean enter() {
        int seen = users.get();
        while (seen >= 0) {
            if (users.compareAndSet(seen, seen + 1)) {
                return true;
            }
            seen = users.get();
        }
        return false;
    }

    /// The other end of [#enter()].
    public void leave() {
        if (users.decrementAndGet() == CLOSED) {
            free();
        }
    }

    @Override
    public void close() {
        int seen = users.getAndUpdate(now -> now | CLOSED);
        if (seen == 0) {
            free();
        }
    }

    private void free() {
        mapping.close();
        file.close();
    }
}
