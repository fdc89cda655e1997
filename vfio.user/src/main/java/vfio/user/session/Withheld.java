// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.user.loop.Source;

/// The request that waits because its device is held, first of what the client has sent, and what its connection does until the release:
/// what comes waits behind it in order, but for replies, which the device may be waiting for. Used by [Connection], in its turns.
final class Withheld {
    private final Host host;
    private final UnixSocket socket;
    private final ClientMemory memory;
    private final Source connection;
    /// Made once.
    private final Runnable released = this::deviceReleased;
    private final Inbound.Sieve repliesOnly = this::takeReply;
    private boolean waits;

    /// @param connection resumed when the device is released
    Withheld(Host host, UnixSocket socket, ClientMemory memory, Source connection) {
        this.host = host;
        this.socket = socket;
        this.memory = memory;
        this.connection = connection;
    }

    /// Whether there is such a request.
    boolean isThere() {
        return waits;
    }

    /// Enters the device for the request that `in` is at; withholds that if the device is held.
    ///
    /// @return whether the device was entered
    boolean enter(RequestExchange exchange, Inbound in) {
        waits = !exchange.enter(released);
        if (waits) {
            in.putBack();
        }
        return !waits;
    }

    /// What a turn does then.
    ///
    /// @param events of the turn
    /// @return as a turn
    int receive(Inbound in, int events) {
        if ((events & ~Epoll.OUT) != 0 && !in.receiveAhead(socket)) {
            // Found out again when what was sent before has been answered.
            memory.close();
            return Source.PARKED;
        }
        in.sift(repliesOnly);
        return in.hasRoom() && !in.isBroken() ? Epoll.IN : Source.PARKED;
    }

    private Inbound.Verdict takeReply(MemorySegment buffer, int at, int size, int kept) {
        return memory.takeIfReply(buffer, at, size) ? Inbound.Verdict.REMOVE : Inbound.Verdict.KEEP;
    }

    /// Any thread.
    private void deviceReleased() {
        host.loop().execute(() -> host.loop().resume(connection));
    }
}
