// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.user.loop.Source;

/// Accepts one client, then rests until it is resumed: further ones wait in the backlog.
final class Listener extends Source {
    private static final Logger LOG = System.getLogger(Listener.class.getName());

    /// Who takes the client.
    interface Taker {
        /// A client is there.
        void take(UnixSocket client);

        /// There was none to be had, for want of descriptors perhaps: resume the listener in a while.
        void tryLater();
    }

    private final SocketFile file;
    private final Taker taker;

    Listener(SocketFile file, Taker taker) {
        this.file = file;
        this.taker = taker;
    }

    @Override
    protected OwnedFd fd() {
        return file.socket().fd();
    }

    @Override
    protected int turn(int events) {
        try {
            Optional<UnixSocket> client = file.socket().tryAccept();
            if (client.isEmpty()) {
                return Epoll.IN;
            }
            taker.take(client.get());
        } catch (VfioException e) {
            LOG.log(Level.WARNING, "socket={0} a client cannot be accepted: {1}", file.path(), e.getMessage());
            taker.tryLater();
        }
        return PARKED;
    }

    @Override
    protected void closed() {
        file.close();
    }
}
