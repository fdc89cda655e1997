// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;

/// Warnings about one client, no more than a few a second, for a client can cause them as often as it likes.
final class FaultLog {
    private static final Logger LOG = System.getLogger(FaultLog.class.getName());
    private static final long WINDOW = TimeUnit.SECONDS.toNanos(1);
    private static final int LINES_A_WINDOW = 10;

    private final String who;
    private long window = System.nanoTime() - WINDOW;
    private int lines;
    private long dropped;

    /// @param who named in each line
    FaultLog(String who) {
        this.who = who;
    }

    void warn(String what, String why) {
        long now = System.nanoTime();
        if (now - window >= WINDOW) {
            window = now;
            lines = 0;
        }
        if (++lines > LINES_A_WINDOW) {
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
