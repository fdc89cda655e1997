// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import linux.sys.Epoll;

/// The source that alone is busy, if there is one, and its thread. Of the thread that runs the loop, unless said otherwise.
///
/// Waiting in its own descriptor saves such a source a system call for each turn. The first turn of any other source ends that, and so does
/// a wait in vain.
final class LoneSource {
    /// So many turns of one source in a row, and it gets a thread to itself: the other thread costs about ten of them.
    private static final int TURNS_IN_A_ROW = 128;

    private final PollLoop loop;
    private Source latest;
    private int turnsInARow;
    /// The thread that keeps a source to itself, or null.
    private volatile Runner keeper;

    LoneSource(PollLoop loop) {
        this.loop = loop;
    }

    /// Who keeps a source to itself, or null. Any thread.
    Runner keeper() {
        return keeper;
    }

    /// Notes that this source, and no other, had a turn after a wait.
    ///
    /// @param source null when it was none, or has gone
    /// @return whether it is to get a thread to itself
    boolean isBusy(Source source) {
        if (source == null || source != latest) {
            latest = source;
            turnsInARow = 0;
            return false;
        }
        turnsInARow++;
        return turnsInARow >= TURNS_IN_A_ROW && keeper == null && source.interest == Epoll.IN && source.canAwait();
    }

    /// The calling thread keeps a source; another is to run the loop from now on.
    void keep(Runner self) {
        latest = null;
        self.goAlone();
        keeper = self;
    }

    /// Waits in the source and takes its turns, until it waits in vain or the loop wants it back. Of the thread that keeps it.
    ///
    /// @return what the poll set is to wait for
    int serve(Runner self, Source source, Watchdog watchdog) {
        int next = Epoll.IN;
        while (next > 0 && !loop.isEnding() && !self.isRecalled() && source.await(next)) {
            self.begin(source);
            watchdog.turnBegins();
            next = source.turn(Source.RESUMED);
            if (!self.end()) {
                break;
            }
        }
        return next;
    }

    /// The loop wants the source back, soon.
    void recall() {
        Runner now = keeper;
        if (now != null) {
            now.recall();
        }
    }

    /// A thread has given a source back, this one perhaps.
    void back(Runner thread) {
        if (keeper == thread) {
            keeper = null;
        }
    }
}
