// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;

/// Warnings about one client, no more than a few a second, for a client can cause them as often as it likes.
final class FaultLog {
    private static final Logger LOG = System.getLogger(FaultLog.class.getName());
    private static final long WINDOW = TimeUnit.SECONDS.toNanos(1);

    private final String who;
    private final int linesAWindow;
    private long window = System.nanoTime() - WINDOW;
    private int lines;
    private long dropped;

    /// @param who named in each line
    /// @param linesAWindow most lines a second
    FaultLog(String who, int linesAWindow) {
        this.who = who;
        this.linesAWindow = linesAWindow;
    }

    /// Any thread.
    synchronized void warn(String what, String why) {
        long now = System.nanoTime();
        if (now - window >= WINDOW) {
            window = now;
            lines = 0;
        }
        if (++lines > linesAWindow) {
            dropped++;
            return;
        }
        if (dropped > 0) {
            LOG.log(Level.WARNING, "{0}: {1} faults more were not logged", who, dropped);
            dropped = 0;
        }
        LOG.log(Level.WARNING, "{0}: {1}: {2}", who, what, why);
    }
}
