// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Listens on a UNIX socket, whose file goes with it.
public final class UnixListening implements Listening {
    private static final int MODE = 0600;
    private static final int BACKLOG = 4;

    private final UnixSocket socket;
    private final Path path;
    private final Duration patience;

    private UnixListening(UnixSocket socket, Path path, Duration patience) {
        this.socket = socket;
        this.path = path;
        this.patience = patience;
    }

    /// Listens there.
    ///
    /// @param patience of the links that are accepted; zero for none
    /// @throws VfioException as [Transport#listen]
    public static UnixListening at(Path path, Duration patience) throws VfioException {
        try {
            return new UnixListening(UnixSocket.listen(path, MODE, BACKLOG), path, patience);
        } catch (VfioException e) {
            if (e.errno() != Errno.EADDRINUSE || !dead(path)) {
                throw e;
            }
            remove(path);
            return new UnixListening(UnixSocket.listen(path, MODE, BACKLOG), path, patience);
        }
    }

    /// Whether it is the socket of a process that has gone.
    private static boolean dead(Path path) {
        try {
            UnixSocket.connect(path).close();
            return false;
        } catch (VfioException e) {
            return e.errno() == Errno.ECONNREFUSED && !Files.isRegularFile(path);
        }
    }

    private static void remove(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            System.getLogger(UnixListening.class.getName()).log(System.Logger.Level.DEBUG, "socket={0}: {1}", path, e.getMessage());
        }
    }

    @Override
    public UnixLink accept() throws VfioException {
        return UnixLink.over(socket.accept(), patience);
    }

    @Override
    public Endpoint endpoint() {
        return new Endpoint.Unix(path);
    }

    @Override
    public void close() {
        socket.close();
        remove(path);
    }
}
