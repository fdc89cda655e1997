// SPDX-License-Identifier: Apache-2.0
package itest;

import itest.iavf.FrameChecker;
import itest.iavf.FrameSender;
import itest.iavf.IavfDriver;
import itest.iavf.NumberedFrames;
import itest.iavf.PollLoop;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.VfioException;

/**
 * Frames both ways between two guests for as long as one likes; what arrives is right and in order, but some may be lost, since one of the
 * guests is reset or goes. The other has a thread of its own; the caller is the thread of the one.
 */
final class LossyTraffic implements AutoCloseable {
    private static final Duration STANDSTILL = Duration.ofSeconds(30);

    private final FrameChecker there;
    private final FrameChecker back;
    private final PollLoop mine;
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Future<?> others;
    private volatile boolean ending;

    LossyTraffic(IavfDriver one, IavfDriver other) {
        var outgoing = new NumberedFrames(one.mac(), other.mac());
        var incoming = new NumberedFrames(other.mac(), one.mac());
        there = new FrameChecker(other.pair(0).rx(), outgoing, false);
        back = new FrameChecker(one.pair(0).rx(), incoming, false);
        mine = new PollLoop(new FrameSender(one.pair(0).tx(), outgoing, there, Long.MAX_VALUE), back);
        var theirs = new PollLoop(new FrameSender(other.pair(0).tx(), incoming, back, Long.MAX_VALUE), there);
        others = thread.submit(() -> {
            theirs.until("the test ends", STANDSTILL, () -> ending);
            return null;
        });
        thread.shutdown();
    }

    /** Returns when so many frames more have arrived at both; the next ones are on their way. */
    void awaitArrivals(long more) throws VfioException {
        long thereThen = there.count() + more;
        long backThen = back.count() + more;
        mine.until("frames arrive at both", STANDSTILL, () -> there.count() >= thereThen && back.count() >= backThen || others.isDone());
    }

    /** Whether the other has found nothing wrong so far. */
    boolean othersRun() {
        return !others.isDone();
    }

    /** Ends the other's thread; fails if something was wrong there. */
    @Override
    public void close() throws Exception {
        ending = true;
        others.get(1, TimeUnit.MINUTES);
    }
}
