// SPDX-License-Identifier: Apache-2.0
package itest;

import itest.iavf.FrameChecker;
import itest.iavf.FrameSender;
import itest.iavf.IavfDriver;
import itest.iavf.IavfRegister;
import itest.iavf.NumberedFrames;
import itest.iavf.PollLoop;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.VfioException;

/** Frames from one guest to another, by a thread for each guest; every frame is checked, and none may be missing. For one run. */
final class Traffic {
    private static final Duration STANDSTILL = Duration.ofSeconds(30);
    private static final long LONGEST_MINUTES = 10;

    private final IavfDriver one;
    private final IavfDriver other;
    private final NumberedFrames there;
    private final NumberedFrames back;
    private final FrameChecker arriving;
    private final FrameChecker returning;

    /** Ordinary frames between the first queue pairs of the two. */
    Traffic(IavfDriver one, IavfDriver other) {
        this(one, other, NumberedFrames.SHORTEST, NumberedFrames.LONGEST);
    }

    /** Frames of those lengths. */
    Traffic(IavfDriver one, IavfDriver other, int shortest, int longest) {
        this.one = one;
        this.other = other;
        there = new NumberedFrames(one.mac(), other.mac(), shortest, longest);
        back = new NumberedFrames(other.mac(), one.mac(), shortest, longest);
        arriving = new FrameChecker(other.pair(0).rx(), there, true);
        returning = new FrameChecker(one.pair(0).rx(), back, true);
    }

    /** What was sent, and how long that took. */
    record Result(long frames, long bytes, Duration time) {
        double framesPerSecond() {
            return frames * (double) TimeUnit.SECONDS.toNanos(1) / time.toNanos();
        }
    }

    /** Frames that have arrived at either so far. For any thread. */
    long arrived() {
        return arriving.arrived() + returning.arrived();
    }

    /** Sends from the first to the second. */
    Result oneWay(long frames) throws Exception {
        return both(frames, 0);
    }

    /** Sends so many each way, at the same time. */
    Result bothWays(long frames) throws Exception {
        return both(frames, frames);
    }

    private Result both(long thereCount, long backCount) throws Exception {
        var sender = new FrameSender(one.pair(0).tx(), there, arriving, thereCount);
        var replier = new FrameSender(other.pair(0).tx(), back, returning, backCount);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        long begun = System.nanoTime();
        try {
            Future<?> first = threads.submit(() -> poll(sender, returning, backCount));
            Future<?> second = threads.submit(() -> poll(replier, arriving, thereCount));
            first.get(LONGEST_MINUTES, TimeUnit.MINUTES);
            second.get(LONGEST_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException failure) {
            // Not as its cause, which would be all that Pax Exam reports.
            var described = new AssertionError("in a guest's thread: %s; one: %s; other: %s".formatted(failure.getCause(), describe(one),
                describe(other)));
            described.addSuppressed(failure.getCause());
            throw described;
        } finally {
            threads.shutdownNow();
        }
        Duration time = Duration.ofNanos(System.nanoTime() - begun);
        return new Result(thereCount + backCount, bytes(there, thereCount) + bytes(back, backCount), time);
    }

    private static Void poll(FrameSender sender, FrameChecker checker, long expected) throws VfioException {
        new PollLoop(sender, checker).until("all is sent and has arrived", STANDSTILL,
            () -> sender.done() && checker.arrived() == expected);
        return null;
    }

    /** What the device says of itself, for who looks for the reason. */
    private static String describe(IavfDriver driver) throws VfioException {
        return "tx_tail=0x%x rx_tail=0x%x %s".formatted(driver.bar().read(IavfRegister.QTX_TAIL1, 0),
            driver.bar().read(IavfRegister.QRX_TAIL1, 0), driver.stats());
    }

    /** What that many frames have together. */
    static long bytes(NumberedFrames frames, long count) {
        long bytes = 0;
        for (long number = 0; number < count; number++) {
            bytes += frames.length(number);
        }
        return bytes;
    }
}
