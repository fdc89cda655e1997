// SPDX-License-Identifier: Apache-2.0
package vfio.user.trace;

import java.lang.foreign.MemorySegment;
import java.util.List;
import vfio.pci.api.OwnedFd;
import vfio.user.wire.trace.TraceRecord;

/// Where the messages of a served device pass, of one client after the other. Nobody watches most of the time: then it costs one read.
public final class Tap {
    private volatile Watch watch;

    /// Whether a message is to be shown. Hot.
    public boolean isWatched() {
        return watch != null;
    }

    /// Shows a message. Never waits for who watches.
    ///
    /// @param fds that came or go along, open
    public void show(TraceRecord.Kind kind, MemorySegment buffer, long at, int size, List<? extends OwnedFd> fds) {
        Watch now = watch;
        if (now != null) {
            now.add(kind, buffer, at, size, fds);
        }
    }

    /// Begins to watch, in the place of who did before: he may have gone without a word.
    Watch begin() {
        Watch before;
        Watch fresh = new Watch(this);
        synchronized (this) {
            before = watch;
            watch = fresh;
        }
        if (before != null) {
            before.close();
        }
        return fresh;
    }

    synchronized void end(Watch over) {
        if (watch == over) {
            watch = null;
        }
    }

    /// Ends what watches, since no message will come any more. Any thread.
    public void close() {
        Watch now = watch;
        if (now != null) {
            now.close();
        }
    }
}
