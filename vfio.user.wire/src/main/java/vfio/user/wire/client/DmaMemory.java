// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.Command;
import vfio.user.wire.DmaRegionAccessLayout;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// The client's memory as the server may reach it by messages, and the answers to those. Any thread; the lock is the table, and is held
/// while bytes are copied, so that nothing is copied after [#remove] has returned.
final class DmaMemory {
    private static final int HEAD = HeaderLayout.BYTES + DmaRegionAccessLayout.BYTES;

    /// By address, unsigned.
    private final TreeMap<Long, Piece> pieces = new TreeMap<>(Long::compareUnsigned);

    private record Piece(MemorySegment memory, boolean readable, boolean writable) {
    }

    /// Adds memory, unless some begins there.
    ///
    /// @param memory lent until it is removed
    /// @return whether it was added
    boolean add(long iova, MemorySegment memory, boolean readable, boolean writable) {
        synchronized (pieces) {
            return pieces.putIfAbsent(iova, new Piece(memory, readable, writable)) == null;
        }
    }

    /// Forgets what begins there, if anything does.
    void remove(long iova) {
        synchronized (pieces) {
            pieces.remove(iova);
        }
    }

    /// Forgets everything.
    void clear() {
        synchronized (pieces) {
            pieces.clear();
        }
    }

    /// Carries out a command of the server and writes the answer, header included.
    ///
    /// @param request whole message, from byte 0
    /// @param size its bytes
    /// @return bytes of the answer; 0 when none is wanted
    int answer(MemorySegment request, int size, MemorySegment reply) {
        int id = HostOrder.u16(request, HeaderLayout.MSG_ID);
        int command = HostOrder.u16(request, HeaderLayout.CMD);
        boolean silent = (request.get(HostOrder.U32, HeaderLayout.FLAGS) & HeaderLayout.F_NO_REPLY) != 0;
        int answered = HeaderLayout.BYTES;
        int flags = HeaderLayout.F_TYPE_REPLY;
        int errno = 0;
        try {
            answered = carryOut(command, request, size, reply);
        } catch (VfioException e) {
            flags |= HeaderLayout.F_ERROR;
            errno = e.errno().value();
        }
        HeaderLayout.encode(reply, 0, id, command, answered, flags, errno);
        return silent ? 0 : answered;
    }

    private int carryOut(int command, MemorySegment request, int size, MemorySegment reply) throws VfioException {
        boolean read = command == Command.DMA_READ.code();
        if (!read && command != Command.DMA_WRITE.code()) {
            throw new VfioException(Errno.ENOSYS, "command=0x%x expected=DMA_READ or DMA_WRITE".formatted(command));
        }
        if (size < HEAD) {
            throw new VfioException(Errno.EINVAL, "msg_size=0x%x expected=at least 0x%x".formatted(size, HEAD));
        }
        long iova = HostOrder.u64(request, HeaderLayout.BYTES + DmaRegionAccessLayout.ADDR);
        long count = HostOrder.u64(request, HeaderLayout.BYTES + DmaRegionAccessLayout.COUNT);
        long room = read ? reply.byteSize() - HEAD : size - HEAD;
        if (Long.compareUnsigned(count, room) > 0 || !read && count != room) {
            throw new VfioException(Errno.EINVAL, "count=0x%x expected=0x%x".formatted(count, room));
        }
        synchronized (pieces) {
            copy(read, iova, count, read ? reply : request);
        }
        MemorySegment.copy(request, HeaderLayout.BYTES, reply, HeaderLayout.BYTES, DmaRegionAccessLayout.BYTES);
        return read ? HEAD + (int) count : HEAD;
    }

    private void copy(boolean read, long iova, long count, MemorySegment message) throws VfioException {
        for (long done = 0; done < count;) {
            long at = iova + done;
            Map.Entry<Long, Piece> entry = pieces.floorEntry(at);
            if (entry == null || Long.compareUnsigned(at - entry.getKey(), entry.getValue().memory().byteSize()) >= 0) {
                throw new VfioException(Errno.EFAULT, "iova=0x%x expected=memory that was mapped".formatted(at));
            }
            Piece piece = entry.getValue();
            if (read ? !piece.readable() : !piece.writable()) {
                throw new VfioException(Errno.EFAULT, "iova=0x%x expected=%s".formatted(at, read ? "readable" : "writable"));
            }
            long offset = at - entry.getKey();
            long part = Math.min(count - done, piece.memory().byteSize() - offset);
            if (read) {
                MemorySegment.copy(piece.memory(), offset, message, HEAD + done, part);
            } else {
                MemorySegment.copy(message, HEAD + done, piece.memory(), offset, part);
            }
            done += part;
        }
    }
}
