// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.locks.ReentrantLock;

/// An uplink to a peer over UDP, a frame in each datagram: for tests, and to connect cards of different processes. What does not come from
/// the peer is not received. Nothing is encrypted or authenticated, so it belongs on the loopback interface.
public final class DatagramUplink implements Uplink {
    private final DatagramChannel channel;
    private final Selector selector;
    private final Arrivals arrivals;
    private final ReentrantLock senders = new ReentrantLock();
    private final ByteBuffer outgoing = ByteBuffer.allocateDirect(Ethernet.LONGEST + Ethernet.TAG);
    private final MemorySegment outgoingMemory = MemorySegment.ofBuffer(outgoing);
    private final MemorySegment incoming = Arena.ofAuto().allocate(Arrivals.BUFFER, 8);
    private final Thread receiver;

    private DatagramUplink(Switch owner, DatagramChannel channel, Selector selector) {
        this.channel = channel;
        this.selector = selector;
        this.arrivals = new Arrivals(owner);
        this.receiver = Thread.ofPlatform().name("uplink-udp").daemon().unstarted(this::receive);
    }

    /// Binds, connects, and hands what the peer sends to the switch.
    ///
    /// @throws IOException when the address is taken or cannot be reached
    public static DatagramUplink open(Switch owner, InetSocketAddress local, InetSocketAddress peer) throws IOException {
        DatagramChannel channel = DatagramChannel.open();
        Selector selector = null;
        boolean connected = false;
        try {
            selector = Selector.open();
            channel.bind(local).connect(peer).configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ);
            connected = true;
        } finally {
            if (!connected) {
                channel.close();
                if (selector != null) {
                    selector.close();
                }
            }
        }
        DatagramUplink uplink = new DatagramUplink(owner, channel, selector);
        uplink.receiver.start();
        return uplink;
    }

    /// Where it receives.
    public SocketAddress localAddress() throws IOException {
        return channel.getLocalAddress();
    }

    @Override
    public boolean send(MemorySegment memory, long frame, int length) {
        senders.lock();
        try {
            MemorySegment.copy(memory, frame, outgoingMemory, 0, length);
            outgoing.limit(length).position(0);
            return channel.write(outgoing) == length;
        } catch (IOException gone) {
            return false;
        } finally {
            senders.unlock();
        }
    }

    private void receive() {
        ByteBuffer buffer = incoming.asByteBuffer();
        try {
            while (channel.isOpen()) {
                selector.select();
                selector.selectedKeys().clear();
                drain(buffer);
            }
        } catch (ClosedChannelException | ClosedSelectorException closed) {
            // By close().
        } catch (IOException broken) {
            throw new UncheckedIOException("uplink " + channel, broken);
        }
    }

    private void drain(ByteBuffer buffer) throws IOException {
        while (true) {
            buffer.limit(Arrivals.BUFFER).position(Arrivals.START);
            int length;
            try {
                length = channel.read(buffer);
            } catch (PortUnreachableException peerIsAway) {
                return;
            }
            if (length <= 0) {
                return;
            }
            arrivals.arrived(incoming, length);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            selector.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
