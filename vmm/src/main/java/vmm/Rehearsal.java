// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.VfioException;
import vmm.stream.FrameKind;
import vmm.stream.Frames;
import vmm.stream.Hello;

/// What a dry run finds out once the destination has accepted: how fast the connection is, how fast the machine writes, and what comes of
/// the two.
final class Rehearsal {
    private static final int PROBES = 16;
    private static final Duration WINDOW = Duration.ofMillis(200);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Machine machine;
    private final Frames frames;
    private final MemoryCopy memory;
    private final Duration maxDowntime;
    private final MemoryCopy.Interruption interruption;

    Rehearsal(Machine machine, Frames frames, MemoryCopy memory, Duration maxDowntime, MemoryCopy.Interruption interruption) {
        this.machine = machine;
        this.frames = frames;
        this.memory = memory;
        this.maxDowntime = maxDowntime;
        this.interruption = interruption;
    }

    /// Finds out. Afterwards the copy knows the pages that the machine would be stopped with, and the rate.
    ///
    /// @return in words
    String run() throws VfioException {
        byte[] nothing = new byte[Frames.LONGEST];
        for (int i = 0; i < PROBES; i++) {
            interruption.check();
            frames.begin(FrameKind.PROBE).put(nothing);
            frames.end();
        }
        memory.round();
        memory.startLogging();
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < WINDOW.toNanos()) {
            interruption.check();
            LockSupport.parkNanos(NAP_NANOS);
        }
        memory.collect();
        double pagesPerSecond = memory.left() * (double) TimeUnit.SECONDS.toNanos(1) / (System.nanoTime() - begun);
        long size = machine.memory().stream().mapToLong(ram -> ram.memory().byteSize()).sum();
        int rounds = rounds(size, pagesPerSecond);
        return "the destination would accept; %d MiB/s, %.0f pages a second are written, %s".formatted(memory.rate() >> 20, pagesPerSecond,
            rounds > Outgoing.MOST_ROUNDS ? "too fast for the downtime that is allowed"
                : "about %d rounds".formatted(rounds));
    }

    /// Copies until the rest is small enough, if what is written grows with time as it did here.
    private int rounds(long size, double pagesPerSecond) throws VfioException {
        double left = size;
        for (int round = 1; round <= Outgoing.MOST_ROUNDS; round++) {
            left = Math.min(size, left / Math.max(1, memory.rate()) * pagesPerSecond * Hello.PAGE);
            if (memory.expectedDowntime((long) left).compareTo(maxDowntime) <= 0) {
                return round;
            }
        }
        return Outgoing.MOST_ROUNDS + 1;
    }
}
