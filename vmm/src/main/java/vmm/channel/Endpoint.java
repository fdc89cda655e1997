// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Where the other side of a move listens.
public sealed interface Endpoint {
    /// A UNIX socket.
    ///
    /// @param socket its path
    record Unix(Path socket) implements Endpoint {
        @Override
        public String toString() {
            return socket.toString();
        }
    }

    /// A port.
    ///
    /// @param host name or address; with TLS what the other side's certificate is to say
    /// @param port 0 for any, to listen on
    record Tcp(String host, int port) implements Endpoint {
        @Override
        public String toString() {
            return "tcp://%s:%d".formatted(host.indexOf(':') >= 0 ? "[" + host + "]" : host, port);
        }
    }

    /// What was typed: an absolute path, or `tcp://HOST:PORT`.
    ///
    /// @throws VfioException EINVAL for anything else
    static Endpoint parse(String text) throws VfioException {
        return text.startsWith("tcp:") ? tcp(text) : unix(text);
    }

    private static Endpoint tcp(String text) throws VfioException {
        try {
            URI uri = new URI(text);
            if (uri.getHost() != null && uri.getPort() >= 0 && uri.getPort() <= 0xFFFF && uri.getUserInfo() == null
                    && uri.getRawPath().isEmpty() && uri.getRawQuery() == null && uri.getRawFragment() == null) {
                String host = uri.getHost();
                return new Tcp(host.startsWith("[") ? host.substring(1, host.length() - 1) : host, uri.getPort());
            }
        } catch (URISyntaxException e) {
            throw wrong(text);
        }
        throw wrong(text);
    }

    private static Endpoint unix(String text) throws VfioException {
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                return new Unix(path);
            }
        } catch (InvalidPathException e) {
            throw wrong(text);
        }
        throw wrong(text);
    }

    private static VfioException wrong(String text) {
        return new VfioException(Errno.EINVAL, "to=%s expected=an absolute path or tcp://HOST:PORT".formatted(text));
    }
}
