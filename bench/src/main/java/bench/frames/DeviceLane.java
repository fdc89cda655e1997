// SPDX-License-Identifier: Apache-2.0
package bench.frames;

import device.sim.wire.Switch;
import device.sim.xl710.engine.DoorbellWatch;
import device.sim.xl710.engine.VfEngine;
import device.sim.xl710.queue.QueuePairs;
import device.sim.xl710.queue.RxSettings;
import device.sim.xl710.queue.TxSettings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.core.dma.DmaMap;

/// Two virtual functions on a switch, each with its own memory behind the core's DMA map and with mapped tails, and one thread that polls
/// at both ends as a poll-mode driver does.
final class DeviceLane implements Lane {
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long BASE = 0x1_0000_0000L;
    private static final int RING = 512;
    private static final int BUFFER = 2048;
    private static final int BUFFERS = 0x1_0000;
    private static final int SIZE = BUFFERS + RING * BUFFER;
    private static final int TAIL_RX = 0x2000;
    /// Frames on their way at most: what is more would be dropped somewhere, as on any network.
    private static final int WINDOW = 384;
    private static final int REPORT_EVERY = 32;
    private static final long DONE_MASK = 0xF;

    private final int length;
    private final boolean alone;
    private final DoorbellWatch watch = new DoorbellWatch("bench-doorbells");
    private final Switch wire = new Switch(2);
    private final VfEngine[] engines = new VfEngine[2];
    private final MemorySegment[] memory = new MemorySegment[2];
    private final MemorySegment[] registers = new MemorySegment[2];
    private final QueuePairs[] queues = new QueuePairs[2];
    private final MemorySegment sink = Arena.ofAuto().allocate(BUFFER, 64);
    private long sent;
    private long received;

    /// @param alone whether the thread that polls does the functions' work as well, in place of their engines
    DeviceLane(int length, boolean alone) {
        this.length = length;
        this.alone = alone;
        for (int i = 0; i < 2; i++) {
            memory[i] = Arena.ofAuto().allocate(SIZE, 4096);
            registers[i] = Arena.ofAuto().allocate(0x10000, 4096);
            DmaMap map = map(memory[i]);
            wire.port(i).defaultAddress(0x0200_0000_0000L + i);
            engines[i] = new VfEngine("bench-vf" + i, watch);
            queues[i] = new QueuePairs(() -> map, wire.port(i), (vector, indices) -> { }, engines[i]);
            queues[i].lent(registers[i]);
            if (!alone) {
                engines[i].start();
            }
        }
        prepareSender();
        prepareReceiver();
    }

    private static DmaMap map(MemorySegment memory) {
        DmaMap map = new DmaMap(1);
        try {
            map.map(map, new DmaMapping(BASE, SIZE, true, true, new DmaBacking.Segment(memory)));
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
        return map;
    }

    private void prepareSender() {
        for (int i = 0; i < RING; i++) {
            long frame = BUFFERS + (long) i * BUFFER;
            // To 02:00:00:00:00:01, from 02:00:00:00:00:00, of a type for experiments.
            memory[0].set(ValueLayout.JAVA_BYTE, frame, (byte) 2);
            memory[0].set(ValueLayout.JAVA_BYTE, frame + 5, (byte) 1);
            memory[0].set(ValueLayout.JAVA_BYTE, frame + 6, (byte) 2);
            memory[0].set(ValueLayout.JAVA_SHORT, frame + 12, (short) 0xB588);
        }
        require(queues[0].configureTx(0, new TxSettings(BASE, RING)) && queues[0].enable(0, 1));
    }

    private void prepareReceiver() {
        for (int i = 0; i < RING; i++) {
            post(i);
        }
        INT.setVolatile(registers[1], (long) TAIL_RX, RING - 1);
        require(queues[1].configureRx(0, new RxSettings(BASE, RING, BUFFER, 9728, 0, false)) && queues[1].enable(1, 0));
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("the device refused a queue");
        }
    }

    private void post(int index) {
        memory[1].set(ValueLayout.JAVA_LONG, index * 32L, BASE + BUFFERS + (long) index * BUFFER);
        memory[1].set(ValueLayout.JAVA_LONG, index * 32L + 8, 0);
    }

    @Override
    public double run(long nanos) {
        long start = System.nanoTime();
        long before = received;
        long now = start;
        while (now - start < nanos) {
            boolean moved = send();
            if (alone) {
                moved |= queues[0].run();
                moved |= queues[1].run();
            }
            moved |= receive();
            if (!moved) {
                Thread.onSpinWait();
            }
            now = System.nanoTime();
        }
        if (received == before) {
            throw new AssertionError("nothing moves: sent=%d received=%d faults=%s %s".formatted(sent, received, queues[0].faults(),
                queues[1].faults()));
        }
        return (received - before) * 1e9 / (now - start);
    }

    private boolean send() {
        int count = 0;
        while (sent - received < WINDOW && count < REPORT_EVERY) {
            int index = (int) (sent % RING);
            if (sent >= RING && index % REPORT_EVERY == REPORT_EVERY - 1
                && ((long) LONG.getVolatile(memory[0], index * 16L + 8) & DONE_MASK) != DONE_MASK) {
                break;
            }
            long frame = BUFFERS + (long) index * BUFFER;
            memory[0].set(ValueLayout.JAVA_LONG, frame + 16, sent);
            long report = index % REPORT_EVERY == REPORT_EVERY - 1 ? 2L << 4 : 0;
            memory[0].set(ValueLayout.JAVA_LONG, index * 16L, BASE + frame);
            memory[0].set(ValueLayout.JAVA_LONG, index * 16L + 8, 1L << 4 | report | (long) length << 34);
            sent++;
            count++;
        }
        if (count > 0) {
            INT.setVolatile(registers[0], 0L, (int) (sent % RING));
        }
        return count > 0;
    }

    private boolean receive() {
        int count = 0;
        while (count < REPORT_EVERY) {
            int index = (int) (received % RING);
            long status = (long) LONG.getVolatile(memory[1], index * 32L + 8);
            if ((status & 1) == 0) {
                break;
            }
            long frame = BUFFERS + (long) index * BUFFER;
            MemorySegment.copy(memory[1], frame, sink, 0, length);
            if (status >>> 38 != length || sink.get(ValueLayout.JAVA_LONG, 16) != received) {
                throw new AssertionError("frame %d status=0x%x".formatted(received, status));
            }
            post(index);
            received++;
            count++;
        }
        if (count > 0) {
            INT.setVolatile(registers[1], (long) TAIL_RX, (int) ((received + RING - 1) % RING));
        }
        return count > 0;
    }

    @Override
    public void close() {
        for (int i = 0; i < 2; i++) {
            queues[i].reset();
            queues[i].lent(MemorySegment.NULL);
            engines[i].stop();
        }
        watch.close();
    }
}
