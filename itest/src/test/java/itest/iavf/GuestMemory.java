// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.user.wire.client.VfioUserClient;
import vmm.Ram;

/**
 * A guest's memory: shared with the server, at one address of the device. Pieces of it are given out and never come back.
 *
 * <p>Giving out is for one thread; the bytes are for any.
 */
public final class GuestMemory implements AutoCloseable {
    /** Where it begins for the device. Both halves of an address are not zero, so that none can be lost or exchanged unseen. */
    public static final long IOVA = 0x25_8000_0000L;

    private final Ram ram;
    private final MemorySegment memory;
    private long used;

    private GuestMemory(Ram ram, long used) {
        this.ram = ram;
        this.used = used;
        memory = ram.memory();
    }

    /** @param size bytes, whole pages */
    public static GuestMemory create(long size) throws VfioException {
        return new GuestMemory(Ram.create(IOVA, size), 0);
    }

    /** Zeros of the same size, of which the same is given out: what another machine's bytes can be copied to. */
    public GuestMemory alike() throws VfioException {
        return new GuestMemory(Ram.create(IOVA, memory.byteSize()), used);
    }

    /** As a VMM has it. */
    public Ram ram() {
        return ram;
    }

    /** To be called after each write, as nothing below this guest sees what its processors write. */
    void wrote(long offset, long length) {
        ram.wrote(offset, length);
    }

    /** Lets the device use it. */
    public void map(VfioUserClient client) throws VfioException {
        client.mapDma(IOVA, ram.shared(), true, true);
    }

    /** Takes it from the device. */
    public void unmap(VfioUserClient client) throws VfioException {
        client.unmapDma(IOVA, memory.byteSize());
    }

    /**
     * Gives out a piece of zeros.
     *
     * @param alignment a power of two
     * @return its offset
     */
    public long allocate(long size, long alignment) {
        long at = used + alignment - 1 & -alignment;
        if (size > memory.byteSize() - at) {
            throw new IllegalStateException("size=0x%x used=0x%x memory=0x%x".formatted(size, used, memory.byteSize()));
        }
        used = at + size;
        return at;
    }

    /** All of it; what is given out is named by its offset here. */
    public MemorySegment memory() {
        return memory;
    }

    /** The device's address of an offset. */
    public static long iova(long offset) {
        return IOVA + offset;
    }

    @Override
    public void close() {
        ram.close();
    }
}
