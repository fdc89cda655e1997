// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import linux.sys.Fd;
import linux.sys.Mapping;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// A file of which there are mappings. Its descriptor is kept where the length must be asked for, or the file read and written: one that is
/// sealed and mapped needs none. What is
/// mapped is all of it, of which each mapping sees its part, unless it is very long, or the system does not give that much; then each part
/// is mapped alone. A file that became longer is mapped again.
///
/// All but the parts is guarded by the lock of its [ClientFiles].
final class SharedFile {
    /// Files longer than this are not mapped as a whole: a process has 128 TiB of addresses.
    private static final long LONGEST_WHOLE = 1L << 40;

    private final ClientFiles.Key key;
    private final Optional<OwnedFd> fd;
    private final ClientFiles owner;
    private final MappedFiles limit;
    /// Most recent mappings of the whole, null while there is none.
    private Shared readOnly;
    private Shared writable;
    private int users;
    private int mappings;

    /// @param fd taken if the key says so
    /// @param limit counts this one already
    SharedFile(ClientFiles.Key key, OwnedFd fd, ClientFiles owner, MappedFiles limit) {
        this.key = key;
        this.fd = key.keepsDescriptor() ? Optional.of(fd) : Optional.empty();
        this.owner = owner;
        this.limit = limit;
    }

    ClientFiles.Key key() {
        return key;
    }

    boolean keeps(OwnedFd sent) {
        return fd.isPresent() && fd.get() == sent;
    }

    FilePart open(long offset) {
        users++;
        return new Part(null, null, offset);
    }

    FilePart map(OwnedFd sent, long offset, long size, boolean write) throws VfioException {
        Shared shared = write ? writable : readOnly;
        if (shared == null || offset > shared.mapping.memory().byteSize() - size) {
            shared = mapFresh(sent, offset, size, write);
        }
        shared.users++;
        users++;
        return new Part(shared, shared.mapping.memory().asSlice(offset - shared.offset, size), offset);
    }

    private Shared mapFresh(OwnedFd sent, long offset, long size, boolean write) throws VfioException {
        long length = Fd.size(sent);
        if (offset <= length - size && length <= LONGEST_WHOLE) {
            try {
                Shared whole = mapAlone(sent, 0, length, write);
                if (write) {
                    writable = whole;
                } else {
                    readOnly = whole;
                }
                return whole;
            } catch (VfioException e) {
                // Tried again with less, and what is wrong with it said then.
            }
        }
        return mapAlone(sent, offset, size, write);
    }

    private Shared mapAlone(OwnedFd sent, long offset, long size, boolean write) throws VfioException {
        // The first is counted with the file.
        boolean counted = mappings > 0;
        if (counted) {
            limit.take();
        }
        boolean mapped = false;
        try {
            Shared fresh = new Shared(Mapping.of(sent, offset, size, true, write), offset);
            mappings++;
            mapped = true;
            return fresh;
        } finally {
            if (!mapped && counted) {
                limit.giveBack();
            }
        }
    }

    /// The lock is held.
    void closeIfUnused() {
        if (users == 0) {
            owner.forgetLocked(this);
            fd.ifPresent(OwnedFd::close);
            limit.giveBack();
        }
    }

    /// A mapping and how many parts are of it.
    private static final class Shared {
        private final Mapping mapping;
        private final long offset;
        private int users;

        Shared(Mapping mapping, long offset) {
            this.mapping = mapping;
            this.offset = offset;
        }
    }

    private final class Part implements FilePart {
        private final Shared shared;
        private final MemorySegment memory;
        private final long offset;

        Part(Shared shared, MemorySegment memory, long offset) {
            this.shared = shared;
            this.memory = memory;
            this.offset = offset;
        }

        @Override
        public MemorySegment memory() {
            return memory;
        }

        @Override
        public OwnedFd fd() {
            return fd.orElseThrow();
        }

        @Override
        public boolean holds(long bytes) {
            try {
                return fd.isEmpty() || Fd.size(fd.get()) - offset >= bytes;
            } catch (VfioException e) {
                return false;
            }
        }

        @Override
        public void close() {
            synchronized (owner) {
                users--;
                if (shared != null && --shared.users == 0) {
                    shared.mapping.close();
                    if (--mappings > 0) {
                        limit.giveBack();
                    }
                    readOnly = readOnly == shared ? null : readOnly;
                    writable = writable == shared ? null : writable;
                }
                closeIfUnused();
            }
        }
    }
}
