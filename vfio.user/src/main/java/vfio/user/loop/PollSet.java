// SPDX-License-Identifier: Apache-2.0
package vfio.user.loop;

import linux.sys.Epoll;
import linux.sys.EventFd;
import linux.sys.Ready;
import vfio.pci.api.VfioException;

/// The descriptors that are waited for, each under its source's key, and an event that ends a wait. Of the thread that runs the loop,
/// unless said otherwise.
final class PollSet implements AutoCloseable {
    private static final int REPORTS_AT_ONCE = 64;
    private static final long WAKE_KEY = Long.MAX_VALUE;

    private final Epoll epoll;
    private final EventFd wake;
    private final Ready ready = new Ready(REPORTS_AT_ONCE);

    private PollSet(Epoll epoll, EventFd wake) {
        this.epoll = epoll;
        this.wake = wake;
    }

    /// @throws VfioException EMFILE when the process has no descriptor left
    static PollSet create() throws VfioException {
        Epoll epoll = Epoll.create();
        EventFd wake = null;
        try {
            wake = EventFd.create();
            epoll.add(wake.fd(), Epoll.IN, WAKE_KEY);
            return new PollSet(epoll, wake);
        } catch (VfioException e) {
            epoll.close();
            if (wake != null) {
                wake.close();
            }
            throw e;
        }
    }

    /// Waits for reports.
    ///
    /// @param timeout milliseconds; -1 for none
    /// @return how many there are
    int await(int timeout) {
        int reports = epoll.await(ready, timeout);
        if (reports < 0) {
            throw new IllegalStateException("call=epoll_wait errno=" + -reports);
        }
        return reports;
    }

    /// Whose descriptor a report is about.
    long key(int report) {
        return ready.data(report);
    }

    /// What it says, bits of [Epoll].
    int events(int report) {
        return ready.events(report);
    }

    /// Ends the wait of now, or else the next one. Any thread.
    void wake() {
        wake.signal();
    }

    /// Whether a report is about [#wake()] and nothing else; it is over then.
    boolean isAwoken(long key) {
        if (key != WAKE_KEY) {
            return false;
        }
        wake.read();
        return true;
    }

    /// Has something else waited for of a source.
    ///
    /// @param interest bits of [Epoll], or [Source#PARKED]
    /// @throws VfioException when that cannot be; nothing is waited for then
    void set(Source source, int interest) throws VfioException {
        int before = source.interest;
        if (interest == before) {
            return;
        }
        source.interest = Source.PARKED;
        if (before == Source.PARKED) {
            epoll.add(source.fd(), interest, source.key);
        } else if (interest == Source.PARKED) {
            epoll.remove(source.fd());
        } else {
            epoll.modify(source.fd(), interest, source.key);
        }
        source.interest = interest;
    }

    @Override
    public void close() {
        epoll.close();
        wake.close();
    }
}
