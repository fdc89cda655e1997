// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

class TransportTest {
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Endpoint ANY_PORT = new Endpoint.Tcp("localhost", 0);

    @TempDir
    private Path folder;
    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    @AfterEach
    void end() {
        thread.shutdownNow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "relative", "tcp://", "tcp://host", "tcp://host:70000", "tcp://host:1/path", "tcp://me@host:1",
        "tcp:host:1", "tcp://host:1?x", "/a\0b"})
    void rejectsEndpoint(String text) {
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> Endpoint.parse(text))
            .matches(e -> e.errno() == Errno.EINVAL).withMessage("to=%s expected=an absolute path or tcp://HOST:PORT", text);
    }

    @Test
    void readsEndpoints() throws VfioException {
        assertThat(Endpoint.parse("/run/a")).isEqualTo(new Endpoint.Unix(Path.of("/run/a")));
        assertThat(Endpoint.parse("tcp://[::1]:7")).isEqualTo(new Endpoint.Tcp("::1", 7)).hasToString("tcp://[::1]:7");
        assertThat(Endpoint.parse("tcp://host:65535")).isEqualTo(new Endpoint.Tcp("host", 65535));
    }

    @Test
    void refusesPlainTcpBeyondThisMachine() {
        Endpoint elsewhere = new Endpoint.Tcp("192.0.2.1", 1);
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> Transport.PLAIN.connect(elsewhere))
            .matches(e -> e.errno() == Errno.EPERM).withMessageContaining("expected=TLS, or a loopback address");
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> Transport.PLAIN.listen(new Endpoint.Tcp("0.0.0.0", 0)))
            .matches(e -> e.errno() == Errno.EPERM);
    }

    @Test
    void plainTcpOnThisMachine() throws Exception {
        talk(Transport.PLAIN, Transport.PLAIN, ANY_PORT);
    }

    @Test
    void unixSocketForItsOwnerAlone() throws Exception {
        Path path = folder.resolve("s");
        try (Listening listening = Transport.PLAIN.listen(new Endpoint.Unix(path))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-------");
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> Transport.PLAIN.listen(listening.endpoint()))
                .matches(e -> e.errno() == Errno.EADDRINUSE);
        }
        assertThat(path).doesNotExist();
        talk(Transport.PLAIN, Transport.PLAIN, new Endpoint.Unix(path));
    }

    @Test
    void certificatesOfBothSides() throws Exception {
        Certificates certificates = pair("dns:localhost");
        talk(tls(certificates, "source"), tls(certificates, "destination"), ANY_PORT);
    }

    @Test
    void refusesClientThatIsNotTrusted() throws Exception {
        Certificates certificates = pair("dns:localhost");
        certificates.identity("stranger", "dns:localhost");
        certificates.trust("stranger", "destination");
        refused(tls(certificates, "stranger"), tls(certificates, "destination"));
    }

    @Test
    void refusesServerOfAnotherName() throws Exception {
        Certificates certificates = pair("dns:elsewhere.example");
        refused(tls(certificates, "source"), tls(certificates, "destination"));
    }

    @Test
    void refusesClientWithoutTls() throws Exception {
        Certificates certificates = pair("dns:localhost");
        refused(new Transport(Optional.empty(), SHORT), tls(certificates, "destination"));
    }

    @Test
    void saysWhichFileIsWrong() throws Exception {
        Path none = folder.resolve("none.p12");
        Transport transport = new Transport(Optional.of(new TlsFiles(none, "a", none, "b")), SHORT);
        assertThatExceptionOfType(VfioException.class).isThrownBy(() -> transport.listen(ANY_PORT))
            .matches(e -> e.errno() == Errno.EACCES).withMessageContaining("file=" + none);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void waitsNoLongerThanItWasTold(boolean unix) throws Exception {
        Transport impatient = new Transport(Optional.empty(), SHORT);
        Endpoint at = unix ? new Endpoint.Unix(folder.resolve("slow")) : ANY_PORT;
        try (Listening listening = impatient.listen(at); Link here = impatient.connect(listening.endpoint());
                Link there = listening.accept()) {
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> here.read(new byte[1], 0, 1))
                .matches(e -> e.errno() == Errno.ETIMEDOUT);
            byte[] much = new byte[64 << 20];
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> there.write(much, 0, much.length))
                .matches(e -> e.errno() == Errno.ETIMEDOUT);
        }
    }

    private Certificates pair(String nameOfDestination) throws Exception {
        var certificates = new Certificates(folder);
        certificates.identity("source", "dns:localhost");
        certificates.identity("destination", nameOfDestination);
        certificates.trust("source", "destination");
        certificates.trust("destination", "source");
        return certificates;
    }

    private static Transport tls(Certificates certificates, String who) {
        return new Transport(Optional.of(certificates.files(who)), Duration.ofSeconds(20));
    }

    /// Bytes go both ways, and the end of the one is the end of the other.
    private void talk(Transport source, Transport destination, Endpoint at) throws Exception {
        try (Listening listening = destination.listen(at)) {
            Future<Void> echo = thread.submit(() -> {
                try (Link link = listening.accept()) {
                    byte[] bytes = new byte[1 << 20];
                    link.read(bytes, 0, bytes.length);
                    link.write(bytes, 0, bytes.length);
                }
                return null;
            });
            Endpoint to = listening.endpoint() instanceof Endpoint.Tcp tcp ? new Endpoint.Tcp("localhost", tcp.port()) : at;
            try (Link link = source.connect(to)) {
                byte[] sent = new byte[1 << 20];
                for (int i = 0; i < sent.length; i++) {
                    sent[i] = (byte) (i * 31 >>> 3);
                }
                link.write(sent, 0, sent.length);
                byte[] back = new byte[sent.length];
                link.read(back, 0, back.length);
                assertThat(back).isEqualTo(sent);
                assertThatExceptionOfType(VfioException.class).isThrownBy(() -> link.read(new byte[1], 0, 1))
                    .matches(e -> e.errno() == Errno.ECONNRESET);
            }
            echo.get(20, TimeUnit.SECONDS);
        }
    }

    /// The source gets no byte through, and whoever listens goes on listening.
    private void refused(Transport source, Transport destination) throws Exception {
        try (Listening listening = destination.listen(ANY_PORT)) {
            Future<Link> accepted = thread.submit(listening::accept);
            Endpoint to = new Endpoint.Tcp("localhost", ((Endpoint.Tcp) listening.endpoint()).port());
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> {
                try (Link link = source.connect(to)) {
                    // TLS 1.3 tells a client that it is refused when it reads; one without TLS reads some bytes of that.
                    link.write(new byte[16], 0, 16);
                    link.read(new byte[4096], 0, 4096);
                }
            });
            assertThat(accepted.isDone()).isFalse();
        }
    }
}
