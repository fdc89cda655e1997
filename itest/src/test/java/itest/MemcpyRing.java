// SPDX-License-Identifier: Apache-2.0
package itest;

import itest.iavf.FrameSender;
import itest.iavf.NumberedFrames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What two threads can do with the same frames without any device: one copies each into a ring, the other copies it out. Both wait by
 * spinning.
 */
final class MemcpyRing {
    private static final int SLOTS = 512;
    private static final int SLOT = 2048;
    /** Frames that are made in advance when none is checked. */
    private static final int POOL = 1024;

    private static final VarHandle SENT = position("sent");
    private static final VarHandle ARRIVED = position("arrived");

    private final MemorySegment ring = Arena.ofAuto().allocate((long) SLOTS * SLOT, 64);
    private final NumberedFrames frames;
    private final boolean checked;
    private long sent;
    private long arrived;

    /** @param checked whether each frame is made and checked, as guests do; else they are copied only */
    MemcpyRing(NumberedFrames frames, boolean checked) {
        this.frames = frames;
        this.checked = checked;
    }

    private static VarHandle position(String name) {
        try {
            return MethodHandles.lookup().findVarHandle(MemcpyRing.class, name, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Frames a second. */
    double rate(long count) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            long begun = System.nanoTime();
            Future<?> sender = thread.submit(() -> send(count));
            receive(count);
            sender.get(1, TimeUnit.MINUTES);
            return count * (double) TimeUnit.SECONDS.toNanos(1) / (System.nanoTime() - begun);
        } finally {
            thread.shutdownNow();
        }
    }

    private void send(long count) {
        MemorySegment pool = Arena.ofAuto().allocate((long) POOL * SLOT, 64);
        for (int i = 0; i < POOL; i++) {
            frames.write(pool, (long) i * SLOT, i);
        }
        long seen = 0;
        for (long number = 0; number < count; number++) {
            while (number - seen >= FrameSender.WINDOW) {
                Thread.onSpinWait();
                seen = (long) ARRIVED.getAcquire(this);
            }
            long source = number % POOL * SLOT;
            int bytes = checked ? frames.write(pool, source, number) : frames.length(number % POOL);
            MemorySegment.copy(pool, source, ring, number % SLOTS * SLOT, bytes);
            SENT.setRelease(this, number + 1);
        }
    }

    private void receive(long count) {
        MemorySegment own = Arena.ofAuto().allocate(SLOT, 64);
        long seen = 0;
        for (long number = 0; number < count; number++) {
            while (seen <= number) {
                Thread.onSpinWait();
                seen = (long) SENT.getAcquire(this);
            }
            int bytes = checked ? frames.length(number) : frames.length(number % POOL);
            MemorySegment.copy(ring, number % SLOTS * SLOT, own, 0, bytes);
            if (checked) {
                frames.check(own, 0, bytes, number);
            }
            ARRIVED.setRelease(this, number + 1);
        }
    }
}
