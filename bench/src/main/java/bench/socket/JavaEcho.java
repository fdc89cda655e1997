// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import linux.sys.ReceivedFds;
import linux.sys.UnixSocket;
import vfio.pci.api.VfioException;

/// The echo of the C source once more: what calling from Java costs, and the limit where there is no C compiler.
final class JavaEcho {
    private static final int BUFFER = (1 << 20) + 4096;
    private static final int OWNER_ONLY = 0600;

    private final MemorySegment in = Arena.global().allocate(BUFFER);
    private final MemorySegment out = Arena.global().allocate(BUFFER);
    private final ReceivedFds fds = new ReceivedFds();

    private JavaEcho() {
    }

    /// `SOCKET`; runs until it is ended.
    public static void main(String[] args) throws VfioException {
        JavaEcho echo = new JavaEcho();
        try (UnixSocket listening = UnixSocket.listen(Path.of(args[0]), OWNER_ONLY, 16)) {
            System.out.println("ready");
            while (true) {
                try (UnixSocket client = listening.accept()) {
                    client.setSendBuffer(BUFFER);
                    echo.serve(client);
                }
            }
        }
    }

    private void serve(UnixSocket client) {
        if (client.receive(in, 0, 2 * Integer.BYTES, fds, true) != 2 * Integer.BYTES) {
            return;
        }
        int request = in.get(ValueLayout.JAVA_INT, 0);
        int answer = in.get(ValueLayout.JAVA_INT, Integer.BYTES);
        int have = 0;
        int got;
        while ((got = client.receive(in, 0, BUFFER, fds, true)) > 0) {
            for (have += got; have >= request; have -= request) {
                send(client, answer);
            }
        }
    }

    private void send(UnixSocket client, int bytes) {
        int sent = 0;
        while (sent < bytes) {
            int count = client.send(out, sent, bytes - sent, true);
            if (count < 0) {
                return;
            }
            sent += count;
        }
    }
}
