// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// How links are made: over UNIX sockets; over TCP with TLS 1.3, where both sides show a certificate; and without TLS over loopback only.
///
/// @param tls who this side is; without, TCP is for loopback
/// @param patience the longest wait for the other side
public record Transport(Optional<TlsFiles> tls, Duration patience) {
    /// Without TLS, with ten seconds' patience.
    public static final Transport PLAIN = new Transport(Optional.empty(), Duration.ofSeconds(10));

    /// Connects.
    ///
    /// @throws VfioException EPERM for TCP to another machine without TLS, with nothing sent; ENOENT or ECONNREFUSED when nobody listens
    ///     there; EACCES when one of the certificates does not do; ETIMEDOUT
    public Link connect(Endpoint to) throws VfioException {
        return switch (to) {
            case Endpoint.Unix unix -> UnixLink.over(UnixSocket.connect(unix.socket(), patience), patience);
            case Endpoint.Tcp tcp -> connect(tcp);
        };
    }

    private Link connect(Endpoint.Tcp to) throws VfioException {
        InetSocketAddress address = address(to);
        Socket raw = new Socket();
        Link made = null;
        try {
            raw.connect(address, Math.toIntExact(patience.toMillis()));
            raw.setSoTimeout(Math.toIntExact(patience.toMillis()));
            Socket socket = raw;
            if (tls.isPresent()) {
                SSLSocket secured = secured(tls.get().context(), raw, to.host(), to.port());
                SSLParameters parameters = secured.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                secured.setSSLParameters(parameters);
                secured.startHandshake();
                socket = secured;
            }
            made = TcpLink.over(socket, raw, patience);
            return made;
        } catch (IOException e) {
            throw TcpLink.failed(to.toString(), e);
        } finally {
            if (made == null) {
                TcpLink.closeQuietly(raw);
            }
        }
    }

    static SSLSocket secured(SSLContext context, Socket raw, String host, int port) throws IOException {
        return (SSLSocket) context.getSocketFactory().createSocket(raw, host, port, true);
    }

    /// The address, if it may be used.
    private InetSocketAddress address(Endpoint.Tcp endpoint) throws VfioException {
        try {
            InetAddress address = InetAddress.getByName(endpoint.host());
            if (tls.isEmpty() && !address.isLoopbackAddress()) {
                throw new VfioException(Errno.EPERM, "endpoint=%s expected=TLS, or a loopback address".formatted(endpoint));
            }
            return new InetSocketAddress(address, endpoint.port());
        } catch (UnknownHostException e) {
            throw TcpLink.failed(endpoint.toString(), e);
        }
    }

    /// Listens. A socket that nobody listens on any more is taken over; one that is made has mode 0600.
    ///
    /// @throws VfioException EPERM as for [#connect]; EADDRINUSE when somebody listens there; EACCES when a certificate does not do
    public Listening listen(Endpoint at) throws VfioException {
        return switch (at) {
            case Endpoint.Unix unix -> UnixListening.at(unix.socket(), patience);
            case Endpoint.Tcp tcp -> TcpListening.at(address(tcp), tls.isPresent() ? Optional.of(tls.get().context()) : Optional.empty(),
                patience);
        };
    }
}
