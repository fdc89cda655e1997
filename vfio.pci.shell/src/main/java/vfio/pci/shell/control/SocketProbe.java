// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Tells a socket somebody listens on from a stale one.
final class SocketProbe {
    private SocketProbe() {
    }

    /// Whether somebody listens there. Does not wait, also not for a listener that accepts no more.
    static boolean isLive(Path path) {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException e) {
            // Nobody holds the socket any more: ECONNREFUSED.
            return false;
        } catch (IOException e) {
            // EAGAIN: its backlog is full. Anything else says nothing about a listener: better not to take its path away.
            return true;
        }
    }
}
