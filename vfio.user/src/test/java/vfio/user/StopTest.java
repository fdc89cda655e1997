// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.user.ServerFixture.fails;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.UnixSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// How serving ends, and how it begins on a socket that somebody else made.
class StopTest {
    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void answersWhatIsInTheDeviceThenCloses() throws Exception {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            client.send(RawClient.message(5, RawClient.REGION_READ, 0, RawClient.access(TestDevice.BLOCKING, 2, 4).array()).array());
            ServerFixture.await("the access is inside", () -> device.inside.get() == 1);
            CompletableFuture<Void> ended = CompletableFuture.runAsync(() -> {
                try {
                    fixture.server.unserve(TestPci.FIRST);
                } catch (VfioException e) {
                    throw new AssertionError(e);
                }
            });
            ServerFixture.await("nobody listens", () -> !Files.exists(fixture.socket));
            // Longer than a client is given to read its last answer.
            assertThatThrownBy(() -> ended.get(1, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
            device.blocked.release();
            RawClient.Answer answer = client.receive();
            assertThat(answer.id()).isEqualTo(5);
            assertThat(answer.errno()).isZero();
            assertThat(client.endsOrderly()).isTrue();
            ended.get(20, TimeUnit.SECONDS);
            assertThat(device.closed).isTrue();
        }
    }

    @Test
    void refusesDescriptorsThatAreNoSockets() throws Exception {
        for (int bad : new int[] {-1, 0, 2, 0x7FFFFFFF}) {
            fails(() -> fixture.server.serve(TestPci.SECOND, bad), Errno.EBADF);
        }
    }

    @Test
    void refusesSocketsThatDoNotListen() throws Exception {
        UnixSocket[] pair = UnixSocket.pair();
        try (UnixSocket one = pair[0]; UnixSocket other = pair[1]) {
            fails(() -> fixture.server.serve(TestPci.SECOND, one.fd().number()), Errno.EBADF);
            assertThat(one.send(Arena.global().allocate(1), 0, 1, false)).as("left alone").isEqualTo(1);
        }
        try (EventFd event = EventFd.create()) {
            assertThatThrownBy(() -> fixture.server.serve(TestPci.SECOND, event.fd().number())).isInstanceOf(VfioException.class);
        }
    }

    @Test
    void servesOnASocketThatIsThere() throws Exception {
        Path path = fixture.folder.resolve("inherited.sock");
        try (UnixSocket made = UnixSocket.listen(path, 0600, 4)) {
            Fd handed = ((Fd) made.fd()).duplicate();
            fixture.server.serve(TestPci.SECOND, handed.number());
            try (RawClient client = RawClient.ready(path)) {
                assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
            }
            fixture.server.unserve(TestPci.SECOND);
        }
        assertThat(path).exists();
        Files.delete(path);
    }
}
