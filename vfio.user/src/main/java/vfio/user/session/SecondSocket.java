// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// The second socket of a client that asked for one: its own end, which goes along with the answer to VERSION, and the other one, which the
/// loop attends to.
final class SecondSocket {
    private final Host host;
    private final ClientMemory memory;

    // Of the turn.
    private UnixSocket peer;

    // Of the loop.
    private Twin twin;
    private boolean closed;

    SecondSocket(Host host, ClientMemory memory) {
        this.host = host;
        this.memory = memory;
    }

    /// Makes it. In the turn that answers VERSION.
    ///
    /// @return the client's end, lent
    OwnedFd open() throws VfioException {
        UnixSocket[] pair = UnixSocket.pair();
        peer = pair[1];
        memory.useTwin();
        Twin fresh = new Twin(pair[0], memory, new Inbound(host.buffers().twin(), host.buffers().tap()));
        if (!host.loop().execute(() -> add(fresh))) {
            pair[0].close();
        }
        return peer.fd();
    }

    /// No answer is on its way any more: the client's end is the client's. Held on to, it would hide that the client has closed it. In the
    /// turn.
    void handedOver() {
        if (peer != null) {
            peer.close();
            peer = null;
        }
    }

    private void add(Twin fresh) {
        twin = fresh;
        host.loop().add(fresh, Epoll.IN);
        if (closed) {
            host.loop().remove(fresh);
        }
    }

    /// Has it send what waits, if there is one. From a task of the loop.
    ///
    /// @return whether there is one
    boolean resume() {
        if (twin != null) {
            host.loop().resume(twin);
        }
        return twin != null;
    }

    /// The connection ends.
    void close() {
        closed = true;
        if (twin != null) {
            host.loop().remove(twin);
        }
        handedOver();
    }
}
