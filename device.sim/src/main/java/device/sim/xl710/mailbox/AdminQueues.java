// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// A pair of admin queues at work. Registers only record what a driver wants; memory is touched by [#run()] alone, on the engine's thread,
/// with no lock held. Messages that the driver has no room for wait here, and while many do, no command is taken: what a driver does not
/// read it cannot let grow.
public final class AdminQueues {
    /// Most messages one command may cause.
    public static final int MOST_REPLIES = 2;
    /// Messages waiting from which on no command is taken.
    public static final int BACKLOG = 16;

    /// Nobody is told of tails.
    public static final IntConsumer NO_TAP = tail -> { };

    private static final int NO_TAIL = -1;
    private static final long LEAVE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final Object lock;
    private final DmaSpace dma;
    private final Commands commands;
    private final Runnable delivered;
    private final Ring transmit = new Ring();
    private final Ring receive = new Ring();
    /// Guarded by the lock.
    private final Deque<Message> backlog = new ArrayDeque<>();
    /// Guarded by the lock.
    private int resets;
    /// Guarded by the lock.
    private boolean open;
    /// Guarded by the lock.
    private IntConsumer tap = NO_TAP;
    /// The tail that was told last; guarded by the lock.
    private int told = NO_TAIL;
    /// The thread in [#run()]; guarded by the lock.
    private Optional<Thread> worker = Optional.empty();
    private final MemorySegment descriptor = Arena.ofAuto().allocate(DescriptorLayout.SIZE, Long.BYTES);
    private final MemorySegment buffer = Arena.ofAuto().allocate(Flags.LARGEST_BUFFER, Long.BYTES);

    /// Queues that are off.
    ///
    /// @param lock the function's
    /// @param delivered called with the lock held when a message has reached the driver's memory: time for an interrupt
    public AdminQueues(Object lock, DmaSpace dma, Commands commands, Runnable delivered) {
        this.lock = lock;
        this.dma = dma;
        this.commands = commands;
        this.delivered = delivered;
    }

    /// Registers of the ring that takes commands. Guarded by the lock.
    public Ring transmit() {
        return transmit;
    }

    /// Registers of the ring that brings messages. Guarded by the lock.
    public Ring receive() {
        return receive;
    }

    /// Everything to its first value; messages that wait are forgotten. The lock is held.
    public void resetLocked() {
        transmit.reset();
        receive.reset();
        backlog.clear();
        told = NO_TAIL;
        resets++;
    }

    /// Lets the queues work or stand still. The lock is held.
    public void openLocked(boolean on) {
        open = on;
    }

    /// Messages that wait for room, the next one first. The lock is held.
    public List<Message> backlogLocked() {
        return List.copyOf(backlog);
    }

    /// Puts back what [#backlogLocked()] said. The lock is held.
    public void backlogLocked(List<Message> messages) {
        backlog.clear();
        backlog.addAll(messages);
    }

    /// Has somebody told of the tail by which a driver gives buffers for messages, before one of them is written. On return nobody who was
    /// told before is in a call. No lock is held.
    public void tap(IntConsumer next) {
        synchronized (lock) {
            tap = next;
            told = NO_TAIL;
        }
        awaitIdle();
    }

    /// Waits until no other thread is in [#run()]. No lock is held.
    public void awaitIdle() {
        boolean interrupted = false;
        synchronized (lock) {
            while (worker.isPresent() && worker.get() != Thread.currentThread()) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// A driver has switched a ring off and takes its memory back: waits until that is out of use, but not long, for it may be the driver
    /// that is waited for. The lock is held, and given up meanwhile.
    public void leaveLocked() {
        long end = System.nanoTime() + LEAVE_NANOS;
        for (long left = LEAVE_NANOS; worker.isPresent() && left > 0; left = end - System.nanoTime()) {
            try {
                TimeUnit.NANOSECONDS.timedWait(lock, left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /// Does one piece of work: a message, or a command.
    ///
    /// @return whether there was one
    public boolean run() {
        synchronized (lock) {
            if (!open) {
                return false;
            }
            worker = Optional.of(Thread.currentThread());
        }
        try {
            tell();
            return deliver() || announce() || executeOne();
        } finally {
            synchronized (lock) {
                worker = Optional.empty();
                lock.notifyAll();
            }
        }
    }

    private void tell() {
        IntConsumer listener;
        int tail;
        synchronized (lock) {
            tail = receive.read(RingRegister.TAIL);
            if (tap == NO_TAP || tail == told || !receive.enabled()) {
                return;
            }
            told = tail;
            listener = tap;
        }
        listener.accept(tail);
    }

    /// One at a time, so that what changes often is told as it is when there is room.
    private boolean announce() {
        int before;
        synchronized (lock) {
            if (!open || !backlog.isEmpty()) {
                return false;
            }
            before = resets;
        }
        Optional<Message> message = commands.announcement();
        synchronized (lock) {
            // One of before a reset is not for whoever comes after it.
            if (message.isPresent() && resets == before) {
                backlog.add(message.get());
            }
        }
        return message.isPresent();
    }

    private boolean executeOne() {
        int generation;
        long at;
        synchronized (lock) {
            if (!open || backlog.size() >= BACKLOG || !transmit.ready()) {
                return false;
            }
            generation = transmit.generation();
            at = transmit.headAddress();
        }
        try {
            dma.read(at, descriptor, 0, DescriptorLayout.SIZE);
            Descriptor command = DescriptorLayout.decode(descriptor);
            List<Message> replies = new ArrayList<>(MOST_REPLIES);
            Outcome outcome = execute(command, replies);
            DescriptorLayout.encode(command.completed(outcome), descriptor);
            dma.write(at, descriptor, 0, DescriptorLayout.SIZE);
            synchronized (lock) {
                if (transmit.advance(generation)) {
                    backlog.addAll(replies);
                }
            }
            commands.completed();
        } catch (VfioException e) {
            fail(transmit, generation);
        }
        return true;
    }

    private Outcome execute(Descriptor command, List<Message> replies) {
        int length = command.has(Flags.BUF) ? command.length() : 0;
        if (length > Flags.LARGEST_BUFFER || length > Flags.SMALL_BUFFER && !command.has(Flags.LB)) {
            return Outcome.of(command, ReturnCode.EINVAL);
        }
        buffer.fill((byte) 0);
        try {
            if (length > 0 && command.has(Flags.RD)) {
                dma.read(command.address(), buffer, 0, length);
            }
            Outcome outcome = commands.execute(command, buffer, length, replies);
            int written = Math.min(outcome.written(), length);
            if (written > 0) {
                dma.write(command.address(), buffer, 0, written);
            }
            return outcome;
        } catch (VfioException e) {
            return Outcome.of(command, ReturnCode.EFAULT);
        }
    }

    private boolean deliver() {
        int generation;
        long at;
        Message message;
        synchronized (lock) {
            if (!open || backlog.isEmpty() || !receive.ready()) {
                return false;
            }
            if (tap != NO_TAP && receive.read(RingRegister.TAIL) != told) {
                // It moved since it was told.
                return true;
            }
            generation = receive.generation();
            at = receive.headAddress();
            message = backlog.peek();
        }
        try {
            dma.read(at, descriptor, 0, DescriptorLayout.SIZE);
            Descriptor posted = DescriptorLayout.decode(descriptor);
            DescriptorLayout.encode(filled(posted, message), descriptor);
            dma.write(at, descriptor, 0, DescriptorLayout.SIZE);
            synchronized (lock) {
                if (receive.advance(generation)) {
                    backlog.poll();
                    delivered.run();
                }
            }
        } catch (VfioException e) {
            fail(receive, generation);
        }
        return true;
    }

    /// Writes the payload. A buffer that is too small or not there costs the driver the message, and the descriptor says so.
    private Descriptor filled(Descriptor posted, Message message) {
        byte[] payload = message.payload();
        ReturnCode code = ReturnCode.OK;
        if (payload.length > Math.min(posted.length(), Flags.LARGEST_BUFFER)) {
            code = ReturnCode.E2BIG;
        } else if (payload.length > 0) {
            try {
                MemorySegment.copy(MemorySegment.ofArray(payload), 0, buffer, 0, payload.length);
                dma.write(posted.address(), buffer, 0, payload.length);
            } catch (VfioException e) {
                code = ReturnCode.EFAULT;
            }
        }
        int flags = Flags.DD | Flags.CMP | Flags.BUF | (payload.length > Flags.SMALL_BUFFER ? Flags.LB : 0);
        return new Descriptor(code == ReturnCode.OK ? flags : flags | Flags.ERR, message.opcode(),
            code == ReturnCode.OK ? payload.length : 0, code.code(), message.cookieHigh(), message.cookieLow(), 0, 0, posted.address());
    }

    private void fail(Ring ring, int generation) {
        synchronized (lock) {
            if (ring.generation() == generation) {
                ring.fail(Ring.CRITICAL);
            }
        }
    }
}
