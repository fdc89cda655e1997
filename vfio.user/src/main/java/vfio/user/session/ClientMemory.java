// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.RemoteMemory;
import vfio.user.loop.PollLoop;
import vfio.user.wire.Command;
import vfio.user.wire.DmaRegionAccessLayout;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// Memory of a client that gave no file for it: DMA_READ and DMA_WRITE, one at a time.
///
/// A device's thread writes the request, the connection sends it when no other message is half out, and the device's thread waits until the
/// connection has read the reply. The connection's threads never wait here: a transfer from within a turn is refused, for the client may
/// hold its lock until the turn's request is answered (QEMU does).
final class ClientMemory {
    private enum State {
        IDLE, QUEUED, SENDING, WAITING, DONE
    }

    private static final int DATA = HeaderLayout.BYTES + DmaRegionAccessLayout.BYTES;

    private final MemorySegment buffer;
    private final Outbound out;
    private final Duration bound;
    private final BooleanSupplier wake;
    /// Of the one transfer; held while it waits.
    private final ReentrantLock transfer = new ReentrantLock(true);

    // Guarded by this object's lock.
    private State state = State.IDLE;
    private boolean gone;
    private int chunk;
    private int nextId;
    private int id;
    private Command command;
    private int count;
    /// Whose transfer it is.
    private Mapped mapped;
    private Errno failure;
    private long lateReplies;

    /// Whether a request is to be sent; read without the lock.
    private volatile boolean queued;
    private volatile boolean twin;
    private volatile boolean used;

    /// @param out nobody else uses; holds a message
    /// @param bound longest wait for one reply
    /// @param wake has the connection send what is queued; false when there is none any more
    ClientMemory(Outbound out, Duration bound, BooleanSupplier wake) {
        this.out = out;
        buffer = out.buffer();
        this.bound = bound;
        this.wake = wake;
    }

    /// The messages travel over a socket of their own, which is not the connection's.
    void useTwin() {
        twin = true;
    }

    /// Says how many bytes the client takes in one message.
    synchronized void limit(int bytes) {
        chunk = bytes;
    }

    /// For one mapping.
    RemoteMemory mapping() {
        return new Mapped();
    }

    /// Whether there ever was a transfer over the connection's own socket. The loop's thread.
    boolean wasUsed() {
        return used && !twin;
    }

    /// Replies that came when nobody waited for them any more.
    synchronized long lateReplies() {
        return lateReplies;
    }

    // ---- the device's thread

    private void transfer(Mapped whose, Command what, long iova, MemorySegment data, long dataOffset, long bytes) throws VfioException {
        if (PollLoop.isLoopThread()) {
            throw new VfioException(Errno.EDEADLK, "iova=0x%x expected=a thread that the client does not wait for".formatted(iova));
        }
        long deadline = System.nanoTime() + bound.toNanos();
        lockBy(deadline, iova);
        try {
            for (long done = 0; done < bytes;) {
                int part = begin(whose, what, iova + done, bytes - done, data, dataOffset + done, System.nanoTime() + bound.toNanos());
                finish(what, iova + done, part, data, dataOffset + done, System.nanoTime() + bound.toNanos());
                done += part;
            }
        } finally {
            transfer.unlock();
        }
    }

    private void lockBy(long deadline, long iova) throws VfioException {
        try {
            if (transfer.tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VfioException(Errno.EINTR, "iova=0x%x interrupted".formatted(iova));
        }
        throw timedOut(iova);
    }

    /// Writes the request, and has it sent.
    ///
    /// @return bytes of this message
    private int begin(Mapped whose, Command what, long iova, long bytes, MemorySegment data, long dataOffset, long deadline)
            throws VfioException {
        int part;
        synchronized (this) {
            // One that was given up may still be half out.
            while (!gone && state != State.IDLE) {
                await(deadline, iova);
            }
            checkThere(whose, iova);
            part = (int) Math.min(bytes, chunk);
            mapped = whose;
            command = what;
            count = part;
            nextId = nextId + 1 & 0xFFFF;
            id = nextId;
            failure = null;
            HostOrder.putU64(buffer, Outbound.PAYLOAD + DmaRegionAccessLayout.ADDR, iova);
            HostOrder.putU64(buffer, Outbound.PAYLOAD + DmaRegionAccessLayout.COUNT, part);
            if (what == Command.DMA_WRITE) {
                MemorySegment.copy(data, dataOffset, buffer, DATA, part);
            }
            state = State.QUEUED;
            queued = true;
            used = true;
        }
        if (!wake.getAsBoolean()) {
            close();
        }
        return part;
    }

    private synchronized void finish(Command what, long iova, int part, MemorySegment data, long dataOffset, long deadline)
            throws VfioException {
        try {
            while (!gone && mapped != null && state != State.DONE) {
                await(deadline, iova);
            }
            checkThere(mapped, iova);
            if (failure != null) {
                throw new VfioException(failure, "iova=0x%x count=0x%x the client refuses %s".formatted(iova, part, what));
            }
            if (what == Command.DMA_READ) {
                MemorySegment.copy(buffer, DATA, data, dataOffset, part);
            }
        } finally {
            mapped = null;
            if (state != State.SENDING) {
                state = State.IDLE;
                queued = false;
            }
            notifyAll();
        }
    }

    private void checkThere(Mapped whose, long iova) throws VfioException {
        if (gone || whose == null || whose.closed) {
            throw new VfioException(Errno.EFAULT, "iova=0x%x expected=a client and a mapping that are still there".formatted(iova));
        }
    }

    /// Waits for a change; the lock is held.
    private void await(long deadline, long iova) throws VfioException {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw timedOut(iova);
        }
        try {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VfioException(Errno.EINTR, "iova=0x%x interrupted".formatted(iova));
        }
    }

    private VfioException timedOut(long iova) {
        return new VfioException(Errno.ETIMEDOUT, "iova=0x%x the client did not answer within %d ms".formatted(iova, bound.toMillis()));
    }

    // ---- whoever has the connection's turn

    /// Whether a request waits to be sent over the connection, or is half out.
    boolean hasQueued() {
        return queued && !twin;
    }

    /// Whether a request is half out: no other message may begin.
    boolean isHalfOut() {
        return hasQueued() && out.isHalfOut();
    }

    /// Sends the request that is queued, or the rest of it.
    Outbound.Sent flush(UnixSocket socket) {
        synchronized (this) {
            if (state == State.QUEUED) {
                out.command(id, command.code(), DmaRegionAccessLayout.BYTES + (command == Command.DMA_WRITE ? count : 0));
                state = State.SENDING;
            }
            if (state != State.SENDING) {
                return Outbound.Sent.ALL;
            }
        }
        Outbound.Sent sent = out.flush(socket);
        if (sent == Outbound.Sent.ALL) {
            synchronized (this) {
                queued = false;
                state = mapped == null ? State.IDLE : State.WAITING;
                notifyAll();
            }
        }
        return sent;
    }

    /// Takes a message in that waits behind others, if it is a reply.
    ///
    /// @param at where the message is
    /// @return whether it is one
    boolean takeIfReply(MemorySegment from, int at, int size) {
        boolean taken = Inbound.isReply(from, at);
        if (taken) {
            reply(from, at, size);
        }
        return taken;
    }

    /// Takes a reply in.
    ///
    /// @param at where the message is
    /// @return false when nobody waits for it
    synchronized boolean reply(MemorySegment from, int at, int size) {
        HeaderLayout.Header header = HeaderLayout.decode(from, at);
        if (state != State.WAITING || header.msgId() != id || header.cmd() != command.code()) {
            lateReplies++;
            return false;
        }
        int expected = DATA + (command == Command.DMA_READ ? count : 0);
        boolean ack = command == Command.DMA_WRITE && size == HeaderLayout.BYTES;
        if (header.error()) {
            failure = header.errorNo() == 0 ? Errno.EIO : Errno.of((int) Math.min(header.errorNo(), Integer.MAX_VALUE));
        } else if (size != expected && !ack) {
            failure = Errno.EPROTO;
        } else if (command == Command.DMA_READ) {
            MemorySegment.copy(from, at + (long) DATA, buffer, DATA, count);
        }
        state = State.DONE;
        notifyAll();
        return true;
    }

    /// The client has gone: who waits is told, nobody waits any more. Does not wait.
    synchronized void close() {
        gone = true;
        notifyAll();
    }

    /// Waits until nobody uses the buffer any more. After [#close()].
    void drain() {
        transfer.lock();
        transfer.unlock();
    }

    private final class Mapped implements RemoteMemory {
        /// Guarded by the outer object's lock.
        private boolean closed;

        @Override
        public void read(long iova, MemorySegment destination, long destinationOffset, long bytes) throws VfioException {
            transfer(this, Command.DMA_READ, iova, destination, destinationOffset, bytes);
        }

        @Override
        public void write(long iova, MemorySegment source, long sourceOffset, long bytes) throws VfioException {
            transfer(this, Command.DMA_WRITE, iova, source, sourceOffset, bytes);
        }

        @Override
        public void close() {
            synchronized (ClientMemory.this) {
                closed = true;
                if (mapped == this) {
                    mapped = null;
                }
                ClientMemory.this.notifyAll();
            }
        }
    }
}
