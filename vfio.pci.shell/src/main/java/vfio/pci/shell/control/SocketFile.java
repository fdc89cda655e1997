// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// A listening UNIX socket under a path, with mode 0600 from the first moment it can be seen: it is made in a folder of mode 0700 and
/// linked into place. Linking never replaces, so that of two who want one path exactly one gets it.
final class SocketFile implements AutoCloseable {
    /// `sun_path` without its terminating zero, unix(7).
    private static final int MAX_PATH = 107;
    private static final int BACKLOG = 16;

    private final Path path;
    private final ServerSocketChannel channel;
    private final Object fileKey;

    private SocketFile(Path path, ServerSocketChannel channel, Object fileKey) {
        this.path = path;
        this.channel = channel;
        this.fileKey = fileKey;
    }

    /// Listens there. A socket nobody listens on is taken over.
    ///
    /// @throws VfioException EADDRINUSE when somebody listens there; EEXIST when something else is there; ENOENT when the folder is not
    ///     there; EINVAL when the path is too long
    /// @throws IOException what the system says, as when the folder cannot be written
    static SocketFile listen(Path path) throws IOException, VfioException {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new VfioException(Errno.ENOENT, "control=%s expected=a path in a folder that is there".formatted(path));
        }
        Path made = Files.createTempDirectory(folder, ".c",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path inside = made.resolve("s");
        try {
            checkLength(path);
            checkLength(inside);
            ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.bind(UnixDomainSocketAddress.of(inside), BACKLOG);
                Files.setPosixFilePermissions(inside, PosixFilePermissions.fromString("rw-------"));
                link(inside, path);
                return new SocketFile(path, channel, fileKey(path));
            } catch (IOException | VfioException e) {
                channel.close();
                throw e;
            }
        } finally {
            Files.deleteIfExists(inside);
            Files.delete(made);
        }
    }

    ServerSocketChannel channel() {
        return channel;
    }

    /// Closes the socket, and removes its file unless somebody has put another there.
    @Override
    public void close() throws IOException {
        channel.close();
        try {
            if (fileKey.equals(fileKey(path))) {
                Files.delete(path);
            }
        } catch (NoSuchFileException e) {
            // Somebody tidied up before us: what we wanted is done.
        }
    }

    private static void link(Path made, Path path) throws IOException, VfioException {
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            takeAway(path, made.resolveSibling("o"));
        }
        try {
            Files.createLink(path, made);
        } catch (FileAlreadyExistsException e) {
            throw inUse(path);
        }
    }

    /// Takes a dead socket away. It is probed once more after it was moved: between the first probe and the move a live one may have
    /// taken its place, which then goes back.
    private static void takeAway(Path path, Path aside) throws IOException, VfioException {
        if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther()) {
            throw new VfioException(Errno.EEXIST, "control=%s expected=nothing there, or a socket".formatted(path));
        }
        if (SocketProbe.isLive(path)) {
            throw inUse(path);
        }
        Files.move(path, aside);
        try {
            if (SocketProbe.isLive(aside)) {
                Files.createLink(path, aside);
                throw inUse(path);
            }
        } finally {
            Files.delete(aside);
        }
    }

    private static VfioException inUse(Path path) {
        return new VfioException(Errno.EADDRINUSE, "control=%s expected=a path nobody listens on".formatted(path));
    }

    private static void checkLength(Path path) throws VfioException {
        int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_PATH) {
            throw new VfioException(Errno.EINVAL, "control=%s length=%d expected=at most %d bytes".formatted(path, length, MAX_PATH));
        }
    }

    private static Object fileKey(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
    }
}
