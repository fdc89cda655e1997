// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import linux.sys.Epoll;
import linux.sys.Ready;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.VfioException;

/// The client of the C source once more, with the same arguments and output, for where there is no C compiler.
final class JavaClient {
    private static final int BUFFER = (1 << 20) + 4096;
    private static final int HEADER = 16;
    private static final int ACCESS = 16;
    private static final int POSTED = 64;
    private static final int WARM_UP = 20_000;
    private static final int VERSION = 1;
    private static final int REGION_READ = 9;
    private static final int REGION_WRITE = 10;
    private static final int NO_REPLY = 0x10;
    private static final int BAR2 = 2;
    private static final String HELLO = "{\"capabilities\":{\"max_msg_fds\":8}}\0";
    private static final Map<String, Integer> READS = Map.of("read4k", 4096, "read64k", 65536, "read1m", 1 << 20);

    /// One of the sockets.
    private static final class Peer {
        private final UnixSocket socket;
        private int have;
        private long asked;
        private int answers;

        Peer(UnixSocket socket) {
            this.socket = socket;
        }
    }

    private final MemorySegment in = Arena.global().allocate(BUFFER);
    private final MemorySegment request = Arena.global().allocate(BUFFER);
    private final ReceivedFds fds = new ReceivedFds();
    private final List<Peer> peers = new ArrayList<>();
    private final boolean many;
    private int requestBytes;
    private int answerBytes;
    private int posted;
    private long[] latencies = new long[0];

    private JavaClient(String kind, boolean many) {
        this.many = many;
        if (kind.equals("write4")) {
            append(REGION_WRITE, 0, Integer.BYTES, Integer.BYTES);
            answerBytes = HEADER + ACCESS;
            return;
        }
        if (kind.equals("posted")) {
            posted = POSTED;
            for (int i = 0; i < POSTED; i++) {
                append(REGION_WRITE, NO_REPLY, Integer.BYTES, Integer.BYTES);
            }
        }
        int bytes = READS.getOrDefault(kind, Integer.BYTES);
        append(REGION_READ, 0, bytes, 0);
        answerBytes = HEADER + ACCESS + bytes;
    }

    /// `echo|vfio KIND COUNT SOCKET...`, as for the C program.
    public static void main(String[] args) throws VfioException, IOException {
        boolean many = args.length > 4 || args[1].startsWith("+");
        JavaClient client = new JavaClient(args[1].replace("+", ""), many);
        try (Epoll epoll = Epoll.create()) {
            for (String path : Arrays.asList(args).subList(3, args.length)) {
                client.join(Path.of(path), args[0].equals("echo"), epoll);
            }
            client.run(Math.min(WARM_UP, 10 * Integer.parseInt(args[2])), epoll);
            System.out.println("warm");
            if (System.in.read() < 0) {
                return;
            }
            client.measure(Integer.parseInt(args[2]), epoll);
        }
        while (System.in.read() >= 0) {
            // Until both ends were looked at.
            continue;
        }
    }

    private void append(int command, int flags, int count, int data) {
        int size = HEADER + ACCESS + data;
        request.set(ValueLayout.JAVA_SHORT, requestBytes, (short) 7);
        request.set(ValueLayout.JAVA_SHORT, requestBytes + 2, (short) command);
        request.set(ValueLayout.JAVA_INT, requestBytes + 4, size);
        request.set(ValueLayout.JAVA_INT, requestBytes + 8, flags);
        request.set(ValueLayout.JAVA_LONG_UNALIGNED, requestBytes + HEADER, 0x100);
        request.set(ValueLayout.JAVA_INT, requestBytes + HEADER + 8, BAR2);
        request.set(ValueLayout.JAVA_INT, requestBytes + HEADER + 12, count);
        requestBytes += size;
    }

    private void join(Path path, boolean echoes, Epoll epoll) throws VfioException, IOException {
        Peer peer = new Peer(UnixSocket.connect(path));
        MemorySegment hello = Arena.ofAuto().allocate(256, Long.BYTES);
        if (echoes) {
            hello.set(ValueLayout.JAVA_INT, 0, requestBytes);
            hello.set(ValueLayout.JAVA_INT, 4, answerBytes);
            send(peer, hello, 0, 2 * Integer.BYTES);
        } else {
            byte[] json = HELLO.getBytes(StandardCharsets.US_ASCII);
            hello.set(ValueLayout.JAVA_SHORT, 2, (short) VERSION);
            hello.set(ValueLayout.JAVA_INT, 4, HEADER + 4 + json.length);
            hello.set(ValueLayout.JAVA_SHORT, HEADER + 2, (short) 1);
            MemorySegment.copy(json, 0, hello, ValueLayout.JAVA_BYTE, HEADER + 4, json.length);
            send(peer, hello, 0, HEADER + 4 + json.length);
            if (peer.socket.receive(in, 0, BUFFER, fds, true) < HEADER || in.get(ValueLayout.JAVA_INT, 12) != 0) {
                throw new IOException("socket=" + path + " expected=an answer to VERSION");
            }
        }
        epoll.add(peer.socket.fd(), Epoll.IN, peers.size());
        peers.add(peer);
    }

    private static void send(Peer peer, MemorySegment from, int at, int bytes) throws IOException {
        for (int sent = 0; sent < bytes;) {
            int count = peer.socket.send(from, at + sent, bytes - sent, true);
            if (count < 0) {
                throw new IOException("send errno=" + -count);
            }
            sent += count;
        }
    }

    private void ask(Peer peer) throws IOException {
        int each = HEADER + ACCESS + Integer.BYTES;
        for (int i = 0; i < posted; i++) {
            send(peer, request, i * each, each);
        }
        send(peer, request, posted * each, requestBytes - posted * each);
    }

    /// Receives what is there.
    ///
    /// @return whether an answer is complete
    private boolean take(Peer peer) throws IOException {
        int got = peer.socket.receive(in, 0, BUFFER, fds, true);
        if (got <= 0 || peer.have == 0 && got >= HEADER && in.get(ValueLayout.JAVA_INT, 12) != 0) {
            throw new IOException("receive=" + got + " expected=an answer without error");
        }
        peer.have += got;
        if (peer.have < answerBytes) {
            return false;
        }
        peer.have = 0;
        peer.answers++;
        return true;
    }

    private void run(int count, Epoll epoll) throws IOException {
        if (many) {
            runMany(count, epoll);
            return;
        }
        for (int i = 0; i < count; i++) {
            ask(peers.getFirst());
            while (!take(peers.getFirst())) {
                continue;
            }
        }
    }

    private void runMany(int count, Epoll epoll) throws IOException {
        Ready ready = new Ready(peers.size());
        latencies = new long[count];
        int asked = 0;
        for (Peer peer : peers.subList(0, Math.min(count, peers.size()))) {
            peer.asked = System.nanoTime();
            ask(peer);
            asked++;
        }
        for (int done = 0; done < count;) {
            int reports = epoll.await(ready, -1);
            for (int i = 0; i < reports; i++) {
                Peer peer = peers.get((int) ready.data(i));
                if (take(peer)) {
                    long now = System.nanoTime();
                    latencies[done++] = now - peer.asked;
                    if (asked < count) {
                        asked++;
                        peer.asked = now;
                        ask(peer);
                    }
                }
            }
        }
    }

    private void measure(int count, Epoll epoll) throws IOException {
        peers.forEach(peer -> peer.answers = 0);
        long pid = ProcessHandle.current().pid();
        long cpu = CpuClock.nanos(pid);
        long from = System.nanoTime();
        run(count, epoll);
        long nanos = System.nanoTime() - from;
        cpu = CpuClock.nanos(pid) - cpu;
        long messages = (long) count * (1 + posted);
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "messages=%d nanos=%.1f cpu=%.1f", messages,
            (double) nanos / messages, (double) cpu / messages));
        if (many) {
            Arrays.sort(latencies);
            int least = peers.stream().mapToInt(peer -> peer.answers).min().orElse(0);
            line.append(String.format(Locale.ROOT, " least=%.3f p50=%.1f p99=%.1f p999=%.1f", (double) least * peers.size() / count,
                latencies[count / 2] / 1e3, latencies[(int) (count * 99L / 100)] / 1e3, latencies[(int) (count * 999L / 1000)] / 1e3));
        }
        System.out.println(line);
    }
}
