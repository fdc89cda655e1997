// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vmm.stream.Hello;

/// A machine's memory on its way in.
final class MemoryFill {
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[Hello.PAGE]);

    private final List<Ram> memory;
    private long pages;

    MemoryFill(List<Ram> memory) {
        this.memory = memory;
    }

    /// Pages taken so far.
    long pages() {
        return pages;
    }

    /// Takes pages.
    ///
    /// @throws VfioException EPROTO for some that are not there
    void pages(ByteBuffer in) throws VfioException {
        MemorySegment to = block(in);
        int count = count(in, Integer.BYTES + Hello.PAGE);
        int data = in.position() + count * Integer.BYTES;
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(MemorySegment.ofBuffer(in.duplicate().clear()), data + (long) i * Hello.PAGE, to, at(in, to), Hello.PAGE);
        }
        pages += count;
    }

    /// Takes pages of zeros; those that are zeros already are left alone, so that they need no memory.
    ///
    /// @throws VfioException EPROTO for some that are not there
    void zeros(ByteBuffer in) throws VfioException {
        MemorySegment to = block(in);
        int count = count(in, Integer.BYTES);
        for (int i = 0; i < count; i++) {
            long at = at(in, to);
            if (MemorySegment.mismatch(to, at, at + Hello.PAGE, ZEROS, 0, Hello.PAGE) >= 0) {
                to.asSlice(at, Hello.PAGE).fill((byte) 0);
            }
        }
        pages += count;
    }

    private MemorySegment block(ByteBuffer in) throws VfioException {
        int block = in.remaining() < Integer.BYTES ? -1 : in.getInt();
        if (block < 0 || block >= memory.size()) {
            throw new VfioException(Errno.EPROTO, "block=%d expected=below %d".formatted(block, memory.size()));
        }
        return memory.get(block).memory();
    }

    private static int count(ByteBuffer in, int each) throws VfioException {
        long count = in.remaining() < Integer.BYTES ? -1 : Integer.toUnsignedLong(in.getInt());
        if (count * each != in.remaining()) {
            throw new VfioException(Errno.EPROTO, "pages=%d bytes=0x%x expected=0x%x each".formatted(count, in.remaining(), each));
        }
        return (int) count;
    }

    private static long at(ByteBuffer in, MemorySegment to) throws VfioException {
        long at = Integer.toUnsignedLong(in.getInt()) * Hello.PAGE;
        if (at >= to.byteSize()) {
            throw new VfioException(Errno.EPROTO, "page at 0x%x expected=below 0x%x".formatted(at, to.byteSize()));
        }
        return at;
    }
}
