// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import itest.iavf.FrameChecker;
import itest.iavf.FrameSender;
import itest.iavf.IavfDriver;
import itest.iavf.NumberedFrames;
import itest.iavf.PollLoop;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Numbered frames both ways between the two functions of a machine, for as long as one likes, by a thread for each. Whatever arrives is
 * right to the byte, and no frame twice or before an earlier one; some may be lost when the machine is moved, which is counted.
 */
final class GuestTraffic implements AutoCloseable {
    private static final Duration STANDSTILL = Duration.ofSeconds(30);

    private final FrameSender there;
    private final FrameSender back;
    private final FrameChecker arriving;
    private final FrameChecker returning;
    private final ExecutorService threads = Executors.newFixedThreadPool(2);
    private final List<Future<?>> runs;
    private final Processors processors;
    private volatile boolean ending;

    GuestTraffic(MovableGuest guest) {
        processors = guest.processors();
        IavfDriver one = guest.drivers().get(0);
        IavfDriver other = guest.drivers().get(1);
        NumberedFrames outgoing = new NumberedFrames(one.mac(), other.mac());
        NumberedFrames incoming = new NumberedFrames(other.mac(), one.mac());
        arriving = new FrameChecker(other.pair(0).rx(), outgoing, false);
        returning = new FrameChecker(one.pair(0).rx(), incoming, false);
        there = new FrameSender(one.pair(0).tx(), outgoing, arriving, Long.MAX_VALUE);
        back = new FrameSender(other.pair(0).tx(), incoming, returning, Long.MAX_VALUE);
        runs = List.of(threads.submit(() -> poll(guest, there, returning, one)), threads.submit(() -> poll(guest, back, arriving, other)));
        threads.shutdown();
    }

    /** Sends and takes until the end, then takes what is still on its way and waits until all that was sent is reported as done. */
    private Void poll(MovableGuest guest, FrameSender sender, FrameChecker checker, IavfDriver driver) throws Exception {
        new PollLoop(guest.processors().gated(() -> sender.run() + checker.run())).until("the test ends", STANDSTILL, () -> ending);
        new PollLoop(guest.processors().gated(() -> {
            driver.pair(0).tx().clean();
            return checker.run();
        })).until("everything sent is reported as done", STANDSTILL, () -> driver.pair(0).tx().pending() == 0);
        return null;
    }

    /** Returns when so many frames more have arrived at both. */
    void awaitArrivals(long more) throws Exception {
        long thereThen = arriving.count() + more;
        long backThen = returning.count() + more;
        itest.Await.until("frames arrive at both: " + this, STANDSTILL.plusSeconds(5),
            () -> failed() || arriving.count() >= thereThen && returning.count() >= backThen);
        if (failed()) {
            close();
        }
    }

    private boolean failed() {
        return runs.stream().anyMatch(Future::isDone);
    }

    /** Frames that were sent and have not arrived; some may be on their way. */
    long missing() {
        return there.sent() + back.sent() - arrived();
    }

    /** Frames that have arrived. */
    long arrived() {
        return arriving.count() + returning.count();
    }

    /** Ends it; fails if something was wrong. */
    @Override
    public void close() throws Exception {
        ending = true;
        for (Future<?> run : runs) {
            run.get(20, TimeUnit.SECONDS);
        }
    }

    /** Ends it however it is, as with a device that is no more, and the machine with it. */
    void abandon() throws InterruptedException {
        ending = true;
        processors.resume();
        threads.shutdownNow();
        if (!threads.awaitTermination(20, TimeUnit.SECONDS)) {
            throw new AssertionError("does not end: " + this);
        }
    }

    @Override
    public String toString() {
        return "there %s %s, back %s %s".formatted(there, arriving, back, returning);
    }
}
