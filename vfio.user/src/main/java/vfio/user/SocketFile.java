// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// A listening socket and its name in the file system.
final class SocketFile implements AutoCloseable {
    private static final Logger LOG = System.getLogger(SocketFile.class.getName());
    private static final int LAST_STANDARD_FD = 2;
    private static final int TYPE = 0170000;
    private static final int TYPE_SOCKET = 0140000;
    private static final int BACKLOG = 16;
    private static final int LONGEST_PATH = 107;

    private final Path path;
    private final UnixSocket socket;
    /// Empty when the file is somebody else's.
    private final Optional<Object> identity;

    private SocketFile(Path path, UnixSocket socket, Optional<Object> identity) {
        this.path = path;
        this.socket = socket;
        this.identity = identity;
    }

    /// Listens on a path. A socket that nobody listens on any more is replaced.
    ///
    /// @throws VfioException EADDRINUSE when somebody listens there or the path is something else; ENOENT when its folder is missing;
    ///     EINVAL for a path that is too long; else what the system says
    static SocketFile listen(Path path, SocketRules rules) throws VfioException {
        checkPath(path);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            removeStale(path);
        }
        UnixSocket socket = UnixSocket.listen(path, rules.mode(), BACKLOG);
        SocketFile file = null;
        try {
            SocketFile made = new SocketFile(path, socket, Optional.of(attribute(path, "unix:ino")));
            rules.applyOwner(path);
            file = made;
            return file;
        } finally {
            if (file == null) {
                socket.close();
                removeQuietly(path);
            }
        }
    }

    /// Over a socket that listens already, which is taken unless this throws. Its file is left alone.
    ///
    /// @throws VfioException EBADF when that number is no listening UNIX socket of this process
    static SocketFile inherited(int descriptor) throws VfioException {
        if (descriptor <= LAST_STANDARD_FD) {
            throw new VfioException(Errno.EBADF, "fd=%d expected=a listening socket above %d".formatted(descriptor, LAST_STANDARD_FD));
        }
        return new SocketFile(Path.of("/proc/self/fd/" + descriptor), UnixSocket.inherited(descriptor), Optional.empty());
    }

    private static void removeQuietly(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "socket={0} stays behind: {1}", path, e.getMessage());
        }
    }

    private static void checkPath(Path path) throws VfioException {
        int length = path.toString().getBytes().length;
        if (length > LONGEST_PATH) {
            throw new VfioException(Errno.EINVAL, "socket=%s length=%d expected=at most %d bytes".formatted(path, length, LONGEST_PATH));
        }
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new VfioException(Errno.ENOENT, "socket=%s expected=a path in a folder that exists".formatted(path));
        }
    }

    private static void removeStale(Path path) throws VfioException {
        if (((Integer) attribute(path, "unix:mode") & TYPE) != TYPE_SOCKET) {
            throw new VfioException(Errno.EADDRINUSE, "socket=%s exists and is not a socket".formatted(path));
        }
        if (isListening(path)) {
            throw new VfioException(Errno.EADDRINUSE, "socket=%s is in use: somebody listens there".formatted(path));
        }
        try {
            Files.deleteIfExists(path);
            LOG.log(Level.INFO, "took over the socket of a process that has gone: socket={0}", path);
        } catch (IOException e) {
            throw new VfioException(Errno.EACCES, "socket=%s is stale and cannot be removed: %s".formatted(path, e.getMessage()));
        }
    }

    /// Tries to connect, without waiting where the backlog is full. What else goes wrong says that the socket is not ours to take over.
    private static boolean isListening(Path path) throws VfioException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException e) {
            return false;
        } catch (IOException e) {
            throw new VfioException(Errno.EADDRINUSE, "socket=%s is in use, or not to be had: %s".formatted(path, e.getMessage()));
        }
    }

    private static Object attribute(Path path, String name) throws VfioException {
        try {
            return Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            throw new VfioException(Errno.EIO, "socket=%s cannot be looked at: %s".formatted(path, e.getMessage()));
        }
    }

    UnixSocket socket() {
        return socket;
    }

    Path path() {
        return path;
    }

    /// Ends listening, and removes the file if it still is this socket's. A second call has no effect.
    @Override
    public void close() {
        socket.close();
        if (identity.isEmpty()) {
            return;
        }
        try {
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && identity.get().equals(attribute(path, "unix:ino"))) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | VfioException e) {
            LOG.log(Level.WARNING, "socket={0} stays behind: {1}", path, e.getMessage());
        }
    }
}
