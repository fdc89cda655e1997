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
/// A frame whose queue has no descriptors waits, and those behind it, for as long as hardware's packet buffer would bridge; after that it
/// is dropped, and so is every frame for this queue until its tail moves.
///
/// Guarded by the queues' lock.
final class Reception {
    /// Frames delivered before a queue to send has its turn.
    private static final int BATCH = 128;
    /// How long a frame waits for descriptors.
    private static final long HOLD_NANOS = 10_000_000;

    private final Port port;
    private final VfEngine engine;
    private final RxQueue[] queues;
    private final Statistics statistics;
    private final Rss rss = new Rss();
    private final FrameHeaders headers = new FrameHeaders();
    private final FrameCheck check = new FrameCheck();
    private Optional<FrameRing> inbound = Optional.empty();
    private boolean holding;
    private long heldSince;
    private int exhausted;

    Reception(Port port, VfEngine engine, RxQueue[] queues, Statistics statistics) {
        this.port = port;
        this.engine = engine;
        this.queues = queues;
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
        int frames = 0;
        for (long record = ring.first(); record != FrameRing.NONE && frames < BATCH; record = ring.first()) {
            if (!take(ring, record)) {
                break;
            }
            ring.release(record);
            frames++;
            if (inside.hasQueuedThreads()) {
                break;
            }
        }
        for (RxQueue queue : queues) {
            queue.flush();
        }
        return frames > 0;
    }

    /// @return whether the frame is done with, delivered or not
    private boolean take(FrameRing ring, long record) {
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
        return deliver(queue, memory, frame, length, qw0, qw1);
    }

    private boolean deliver(RxQueue queue, MemorySegment memory, long frame, int length, long qw0, long qw1) {
        if (!queue.receives()) {
            statistics.receiveDiscarded();
            return true;
        }
        int bytes = length;
        long status = qw1;
        if (queue.settings().keepFcs()) {
            check.append(memory, frame, length);
            bytes += FrameCheck.BYTES;
            status |= RxDescriptor.CRCP;
        }
        switch (queue.deliver(memory, frame, bytes, qw0, status)) {
            case DELIVERED -> statistics.received(Ethernet.destination(memory, frame), length);
            case DROPPED -> statistics.receiveDiscarded();
            case NO_DESCRIPTORS -> {
                if (hold(queue.index())) {
                    return false;
                }
                statistics.receiveDiscarded();
                return true;
            }
        }
        holding = false;
        exhausted &= ~(1 << queue.index());
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
