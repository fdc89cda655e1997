// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.user.loop.Source;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// The second socket of a client that asked for one: the server's commands, and the client's replies.
final class Twin extends Source {
    private static final int EAGAIN = -Errno.EAGAIN.value();

    private final UnixSocket socket;
    private final ClientMemory memory;
    private final Inbound in;

    /// @param socket taken
    /// @param in nobody else uses
    Twin(UnixSocket socket, ClientMemory memory, Inbound in) {
        this.socket = socket;
        this.memory = memory;
        this.in = in;
    }

    @Override
    protected OwnedFd fd() {
        return socket.fd();
    }

    @Override
    protected int turn(int events) {
        Outbound.Sent sent = memory.flush(socket);
        if (sent == Outbound.Sent.BROKEN) {
            return CLOSED;
        }
        int count = in.receive(socket);
        if (count <= 0 && count != EAGAIN) {
            return CLOSED;
        }
        while (in.next()) {
            boolean reply = (in.buffer().get(HostOrder.U32, in.start() + HeaderLayout.FLAGS) & HeaderLayout.F_TYPE_MASK)
                == HeaderLayout.F_TYPE_REPLY;
            if (reply) {
                memory.reply(in.buffer(), in.start(), in.size());
            }
            in.endMessage();
            if (!reply) {
                return CLOSED;
            }
        }
        return in.isBroken() ? CLOSED : sent == Outbound.Sent.BLOCKED ? Epoll.IN | Epoll.OUT : Epoll.IN;
    }

    @Override
    protected void closed() {
        memory.close();
        socket.close();
        in.close();
    }
}
