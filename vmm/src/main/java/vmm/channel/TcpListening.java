// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// Listens on a port. With TLS who connects has to show a certificate.
final class TcpListening implements Listening {
    private static final int BACKLOG = 4;
    private static final System.Logger LOG = System.getLogger(TcpListening.class.getName());

    private final ServerSocket socket;
    private final Optional<SSLContext> tls;
    private final Duration patience;

    private TcpListening(ServerSocket socket, Optional<SSLContext> tls, Duration patience) {
        this.socket = socket;
        this.tls = tls;
        this.patience = patience;
    }

    static TcpListening at(InetSocketAddress address, Optional<SSLContext> tls, Duration patience) throws VfioException {
        try {
            return new TcpListening(new ServerSocket(address.getPort(), BACKLOG, address.getAddress()), tls, patience);
        } catch (IOException e) {
            throw new VfioException(Errno.EADDRINUSE, "endpoint=%s %s".formatted(address, e.getMessage()));
        }
    }

    @Override
    public Link accept() throws VfioException {
        while (true) {
            Socket raw = next();
            boolean made = false;
            try {
                raw.setSoTimeout(Math.toIntExact(patience.toMillis()));
                Link link = TcpLink.over(tls.isPresent() ? agreed(tls.get(), raw) : raw, raw, patience);
                made = true;
                return link;
            } catch (IOException | VfioException e) {
                LOG.log(System.Logger.Level.WARNING, "{0} is not let in: {1}", raw.getRemoteSocketAddress(), e.getMessage());
            } finally {
                if (!made) {
                    TcpLink.closeQuietly(raw);
                }
            }
        }
    }

    private Socket next() throws VfioException {
        try {
            return socket.accept();
        } catch (IOException e) {
            throw socket.isClosed() ? new VfioException(Errno.ECANCELED, "endpoint=%s was closed".formatted(endpoint()))
                : TcpLink.failed(endpoint().toString(), e);
        }
    }

    private static SSLSocket agreed(SSLContext context, Socket raw) throws IOException {
        SSLSocket secured = Transport.secured(context, raw, raw.getInetAddress().getHostAddress(), raw.getPort());
        secured.setUseClientMode(false);
        secured.setNeedClientAuth(true);
        secured.startHandshake();
        return secured;
    }

    @Override
    public Endpoint endpoint() {
        return new Endpoint.Tcp(socket.getInetAddress().getHostAddress(), socket.getLocalPort());
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", endpoint(), e.getMessage());
        }
    }
}
