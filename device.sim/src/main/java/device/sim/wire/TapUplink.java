// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import linux.sys.Epoll;
import linux.sys.EventFd;
import linux.sys.Ready;
import linux.sys.Tap;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// An uplink to an interface of the host's kernel, by way of a TAP device.
public final class TapUplink implements Uplink {
    private static final System.Logger LOG = System.getLogger(TapUplink.class.getName());
    private static final int FOREVER = -1;
    private static final int NOTHING = -Errno.EAGAIN.value();
    private static final long FRAMES = 0;
    private static final long CLOSED = 1;

    private final Tap tap;
    private final Epoll epoll;
    private final EventFd closed;
    private final Arrivals arrivals;
    private final MemorySegment incoming = Arena.ofAuto().allocate(Arrivals.BUFFER, 8);
    private final Thread receiver;

    private TapUplink(Switch owner, String name, Tap tap, Epoll epoll, EventFd closed) {
        this.tap = tap;
        this.epoll = epoll;
        this.closed = closed;
        this.arrivals = new Arrivals(owner);
        this.receiver = Thread.ofPlatform().name("uplink-" + name).daemon().unstarted(this::receive);
    }

    /// Attaches to an interface, or makes it, and hands what the kernel sends there to the switch.
    ///
    /// @throws VfioException as [Tap#open(String)]
    public static TapUplink open(Switch owner, String name) throws VfioException {
        Tap tap = Tap.open(name);
        Epoll epoll = null;
        EventFd closed = null;
        boolean ready = false;
        try {
            epoll = Epoll.create();
            closed = EventFd.create();
            epoll.add(tap.fd(), Epoll.IN, FRAMES);
            epoll.add(closed.fd(), Epoll.IN, CLOSED);
            ready = true;
        } finally {
            if (!ready) {
                tap.close();
                if (epoll != null) {
                    epoll.close();
                }
                if (closed != null) {
                    closed.close();
                }
            }
        }
        TapUplink uplink = new TapUplink(owner, name, tap, epoll, closed);
        uplink.receiver.start();
        return uplink;
    }

    @Override
    public boolean send(MemorySegment memory, long frame, int length) {
        return tap.write(memory, frame, length) == length;
    }

    private void receive() {
        Ready ready = new Ready(2);
        try {
            int answer = NOTHING;
            while (answer == NOTHING && !isClosed(ready, epoll.await(ready, FOREVER))) {
                answer = drain();
            }
            if (answer != NOTHING) {
                LOG.log(System.Logger.Level.WARNING, "{0} ended: errno={1}", receiver.getName(), -answer);
            }
        } finally {
            tap.close();
            epoll.close();
            closed.close();
        }
    }

    private static boolean isClosed(Ready ready, int count) {
        for (int i = 0; i < count; i++) {
            if (ready.data(i) == CLOSED) {
                return true;
            }
        }
        return false;
    }

    /// @return why there is nothing more: [#NOTHING], or something else when the interface was taken away
    private int drain() {
        int length = tap.read(incoming, Arrivals.START, Arrivals.BUFFER - Arrivals.START);
        while (length > 0) {
            arrivals.arrived(incoming, length);
            length = tap.read(incoming, Arrivals.START, Arrivals.BUFFER - Arrivals.START);
        }
        return length;
    }

    @Override
    public void close() {
        closed.signal();
    }
}
