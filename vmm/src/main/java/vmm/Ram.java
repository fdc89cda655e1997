// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import vfio.pci.api.VfioException;
import vfio.user.wire.client.ClientMemory;
import vmm.stream.Hello;

/// A block of a machine's memory, in a memory file that devices can map, and the log of what its processors wrote. A VMM with hardware
/// below it gets that log from there (KVM's); one whose processors are its own code says [#wrote].
///
/// The bytes are for any thread, and so is [#wrote]; the rest is for one.
public final class Ram implements AutoCloseable {
    private static final int PAGE_SHIFT = 12;
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    private final long iova;
    private final ClientMemory shared;
    private final MemorySegment memory;
    private final long[] written;
    private volatile boolean logging;

    private Ram(long iova, ClientMemory shared) {
        this.iova = iova;
        this.shared = shared;
        memory = shared.memory();
        written = new long[Math.toIntExact((memory.byteSize() >>> PAGE_SHIFT) + Long.SIZE - 1 >>> 6)];
    }

    /// So many zeros.
    ///
    /// @param iova where devices see it, a page multiple
    /// @param size bytes, whole pages, at most 8 TiB
    /// @throws VfioException EMFILE or ENOMEM
    public static Ram create(long iova, long size) throws VfioException {
        return new Ram(iova, ClientMemory.create(size));
    }

    /// Where devices see it.
    public long iova() {
        return iova;
    }

    /// The bytes.
    public MemorySegment memory() {
        return memory;
    }

    /// What is mapped into devices.
    public ClientMemory shared() {
        return shared;
    }

    /// How many pages it has.
    int pages() {
        return (int) (memory.byteSize() >>> PAGE_SHIFT);
    }

    Hello.Block block() {
        return new Hello.Block(iova, memory.byteSize());
    }

    /// A processor has written here. To be called after the write; costs next to nothing while nobody moves the machine.
    ///
    /// @param length more than 0
    public void wrote(long offset, long length) {
        if (!logging) {
            return;
        }
        for (long page = offset >>> PAGE_SHIFT; page <= offset + length - 1 >>> PAGE_SHIFT; page++) {
            WORD.getAndBitwiseOr(written, (int) (page >>> 6), 1L << page);
        }
    }

    /// Switches the log, which is empty then. A write that is under way while it is switched on may not be in it; it is in memory long
    /// before the first copy, for the devices are told to log in between.
    void logWrites(boolean on) {
        takeWritten(new BitSet());
        logging = on;
    }

    /// Adds the pages that were written since the last call.
    void takeWritten(BitSet into) {
        for (int i = 0; i < written.length; i++) {
            long bits = (long) WORD.getAndSet(written, i, 0L);
            for (; bits != 0; bits &= bits - 1) {
                into.set(i * Long.SIZE + Long.numberOfTrailingZeros(bits));
            }
        }
    }

    @Override
    public void close() {
        shared.close();
    }
}
