// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.replay;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import linux.sys.EventFd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.user.wire.client.MessageSocket;
import vfio.user.wire.trace.TraceRecord;
import vfio.user.wire.trace.TraceRecord.Descriptor;

/// The client of a trace: sends its messages as they are, each with descriptors of the kinds it had: eventfds, and memory files of the
/// same size, full of zeros.
final class ReplayedClient implements AutoCloseable {
    private static final int LONGEST = 0x11_0000;

    private final MessageSocket socket;
    private final Duration timeout;
    private final Mapping buffer;
    private final ReceivedFds received = new ReceivedFds();

    private ReplayedClient(MessageSocket socket, Duration timeout, Mapping buffer) {
        this.socket = socket;
        this.timeout = timeout;
        this.buffer = buffer;
    }

    static ReplayedClient connect(Path path, Duration timeout) throws VfioException {
        MessageSocket socket = MessageSocket.over(UnixSocket.connect(path, timeout), LONGEST);
        Mapping buffer = null;
        try {
            buffer = Mapping.anonymous(LONGEST);
            return new ReplayedClient(socket, timeout, buffer);
        } finally {
            if (buffer == null) {
                socket.close();
            }
        }
    }

    void send(TraceRecord record) throws VfioException {
        List<OwnedFd> made = new ArrayList<>();
        try {
            for (Descriptor fd : record.fds()) {
                made.add(make(fd));
            }
            int size = record.bytes().length;
            MemorySegment.copy(record.bytes(), 0, buffer.memory(), ValueLayout.JAVA_BYTE, 0, size);
            socket.send(buffer.memory(), size, made.stream().mapToInt(OwnedFd::number).toArray(), deadline());
        } finally {
            made.forEach(OwnedFd::close);
        }
    }

    private static OwnedFd make(Descriptor fd) throws VfioException {
        if (fd.type() == Descriptor.Type.EVENTFD) {
            return EventFd.create().fd();
        }
        return Memfd.create("vfio-user-replay", fd.size(), false);
    }

    /// The server's next message.
    TraceRecord receive(long nanos) throws VfioException {
        int size = socket.receive(buffer.memory(), received, deadline());
        List<Descriptor> fds = new ArrayList<>();
        for (int i = 0; i < received.count(); i++) {
            fds.add(new Descriptor(Descriptor.Type.UNKNOWN, 0));
        }
        received.clear();
        return new TraceRecord(nanos, TraceRecord.Kind.SENT, fds, buffer.memory().asSlice(0, size).toArray(ValueLayout.JAVA_BYTE));
    }

    private long deadline() {
        return System.nanoTime() + timeout.toNanos() | 1;
    }

    @Override
    public void close() {
        socket.close();
        received.clear();
        buffer.close();
    }
}
