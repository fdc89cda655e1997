// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Ethernet;
import device.sim.wire.FrameRing;
import device.sim.wire.Port;
import device.sim.xl710.engine.Task;
import device.sim.xl710.engine.VfEngine;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Frames from the port's inbound ring into the receive queues.
///
/// Frames are written together, up to a batch before a queue to send has its turn. A frame whose queue has no descriptors waits, and those
/// behind it, for as long as hardware's packet buffer would bridge; after that it is dropped, and so is every frame for this queue until
/// its tail moves.
///
/// Guarded by the queues' lock.
final class Reception {
    /// How long a frame waits for descriptors.
    private static final long HOLD_NANOS = 10_000_000;

    private final Port port;
    private final VfEngine engine;
    private final RxQueue[] queues;
    private final Statistics statistics;
    private final GuestMemory guest;
    private final RxBatch batch = new RxBatch();
    private final Rss rss = new Rss();
    private final FrameHeaders headers = new FrameHeaders();
    private final FrameCheck check = new FrameCheck();
    private Optional<FrameRing> inbound = Optional.empty();
    private boolean holding;
    private long heldSince;
    private int exhausted;

    Reception(Port port, VfEngine engine, RxQueue[] queues, GuestMemory guest, Statistics statistics) {
        this.port = port;
        this.engine = engine;
        this.queues = queues;
        this.guest = guest;
        this.statistics = statistics;
    }

    Rss rss() {
        return rss;
    }

    /// Takes frames while a queue is enabled, and none else.
    void update() {
        boolean any = false;
        for (RxQueue queue : queues) {
            any |= queue.enabled();
        }
        if (any && inbound.isEmpty()) {
            inbound = Optional.of(port.open(engine::wake));
        } else if (!any && inbound.isPresent()) {
            port.close();
            inbound = Optional.empty();
        }
        holding = false;
        exhausted = 0;
    }

    /// How long the engine may sleep.
    long holdNanos() {
        return holding ? Math.max(1, heldSince + HOLD_NANOS - System.nanoTime()) : Task.FOREVER;
    }

    /// @param inside the queues' lock, held; whoever waits for it comes in after the frame at hand
    /// @return whether there was anything to do
    boolean run(ReentrantLock inside) {
        if (inbound.isEmpty()) {
            return false;
        }
        FrameRing ring = inbound.get();
        batch.clear();
        int frames = takeMany(ring, inside, true);
        if (frames == 0) {
            return false;
        }
        int written = batch.write(guest, ring, statistics);
        if (written < frames) {
            // One of the buffers cannot be written, or is waited for.
            takeMany(ring, inside, false);
        }
        for (RxQueue queue : queues) {
            queue.flush();
        }
        ring.release();
        return true;
    }

    private int takeMany(FrameRing ring, ReentrantLock inside, boolean together) {
        int frames = 0;
        for (long record = ring.first(); record != FrameRing.NONE && frames < RxBatch.FRAMES; record = ring.first()) {
            if (!take(ring, record, together)) {
                break;
            }
            ring.take(record);
            frames++;
            if (inside.hasQueuedThreads()) {
                break;
            }
        }
        return frames;
    }

    /// @param together whether it is to be written with others
    /// @return whether the frame is done with, delivered or not
    private boolean take(FrameRing ring, long record, boolean together) {
        MemorySegment memory = ring.memory();
        long frame = ring.frame(record);
        int length = ring.length(record);
        int tag = ring.tag(record);
        long qw0 = 0;
        long qw1 = 0;
        if (tag != Ethernet.UNTAGGED && port.strip() && ring.note(record) == 0) {
            qw0 = (long) tag << RxDescriptor.QW0_L2TAG1_SHIFT;
            qw1 = RxDescriptor.L2TAG1P;
        } else if (tag != Ethernet.UNTAGGED) {
            // Once, for a frame that waits comes by again.
            if (ring.note(record) == 0) {
                Ethernet.putTagIn(memory, frame, tag);
                ring.note(record, 1);
            }
            frame -= Ethernet.TAG;
            length += Ethernet.TAG;
        }
        headers.parse(memory, frame, length);
        qw1 |= headers.status();
        RxQueue queue = queues[0];
        if (rss.hashes(headers.type())) {
            int hash = rss.hash(memory, headers);
            qw0 |= (long) hash << RxDescriptor.QW0_RSS_SHIFT;
            qw1 |= RxDescriptor.FLTSTAT_RSS;
            queue = queues[rss.queue(hash)];
        }
        if (together && !queue.stages()) {
            return false;
        }
        return deliver(queue, ring, frame, length, qw0, qw1, together);
    }

    private boolean deliver(RxQueue queue, FrameRing ring, long frame, int length, long qw0, long qw1, boolean together) {
        RxQueue.Outcome outcome = RxQueue.Outcome.DROPPED;
        if (together) {
            batch.begin(queue, ring.taken());
        }
        if (queue.receives()) {
            int bytes = length;
            long status = qw1;
            if (queue.settings().keepFcs()) {
                check.append(ring.memory(), frame, length);
                bytes += FrameCheck.BYTES;
                status |= RxDescriptor.CRCP;
            }
            outcome = together ? queue.stage(batch.parts(), frame, bytes, qw0, status)
                : queue.deliver(ring.memory(), frame, bytes, qw0, status);
            if (outcome != RxQueue.Outcome.NO_DESCRIPTORS) {
                holding = false;
                exhausted &= ~(1 << queue.index());
            } else if (hold(queue.index())) {
                return false;
            }
        }
        boolean delivered = outcome == RxQueue.Outcome.DELIVERED;
        if (together) {
            batch.add(frame, length, !delivered);
        } else if (delivered) {
            statistics.received(Ethernet.destination(ring.memory(), frame), length);
        } else {
            statistics.receiveDiscarded();
        }
        return true;
    }

    /// @return whether the frame is to wait
    private boolean hold(int queue) {
        if ((exhausted & 1 << queue) != 0) {
            return false;
        }
        long now = System.nanoTime();
        if (!holding) {
            holding = true;
            heldSince = now;
        } else if (now - heldSince >= HOLD_NANOS) {
            holding = false;
            exhausted |= 1 << queue;
            return false;
        }
        return true;
    }
}
