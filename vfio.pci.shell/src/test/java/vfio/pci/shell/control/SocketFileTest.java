// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketFileTest {
    @TempDir
    private Path folder;

    private void leaveStaleSocket(Path path) throws Exception {
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
    }

    @Test
    void refusesLiveSocketAndLeavesIt() throws Exception {
        Path path = folder.resolve("control");
        try (var first = SocketFile.listen(path)) {
            assertThatThrownBy(() -> SocketFile.listen(path)).hasMessage("control=%s expected=a path nobody listens on", path);
            assertThat(SocketProbe.isLive(path)).isTrue();
            assertThat(first.channel().isOpen()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void refusesWhatIsNoSocket() throws Exception {
        Path path = Files.writeString(folder.resolve("control"), "mine");
        assertThatThrownBy(() -> SocketFile.listen(path)).hasMessage("control=%s expected=nothing there, or a socket", path);
        assertThat(path).hasContent("mine");
        assertThat(folder).isDirectoryContaining(path::equals).satisfies(dir -> assertThat(dir.toFile().list()).hasSize(1));
    }

    @Test
    void refusesPathTooLong() {
        Path path = folder.resolve("x".repeat(108));
        assertThatThrownBy(() -> SocketFile.listen(path)).hasMessageContaining("expected=at most 107 bytes");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void refusesFolderThatIsNotThere() {
        assertThatThrownBy(() -> SocketFile.listen(folder.resolve("no/control")))
            .hasMessageContaining("expected=a path in a folder that is there");
    }

    @Test
    void takesStaleSocketOver() throws Exception {
        Path path = folder.resolve("control");
        leaveStaleSocket(path);
        assertThat(SocketProbe.isLive(path)).isFalse();
        try (var taken = SocketFile.listen(path); SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            assertThat(client.isConnected()).isTrue();
            assertThat(taken.channel().accept()).isNotNull();
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void isForItsOwnerOnly() throws Exception {
        Path path = folder.resolve("control");
        try (var _ = SocketFile.listen(path)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rw-------");
            assertThat(folder.toFile().list()).containsExactly("control");
        }
    }

    @Test
    void leavesSuccessorsSocketAtClose() throws Exception {
        Path path = folder.resolve("control");
        var first = SocketFile.listen(path);
        Files.delete(path);
        try (var _ = SocketFile.listen(path)) {
            first.close();
            assertThat(SocketProbe.isLive(path)).isTrue();
        }
    }

    @Test
    void probesNothingAndPlainFileAndFullBacklog() throws Exception {
        assertThat(SocketProbe.isLive(folder.resolve("nothing"))).isFalse();
        Path path = folder.resolve("full");
        try (ServerSocketChannel deaf = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            deaf.bind(UnixDomainSocketAddress.of(path), 1);
            for (int i = 0; i < 4; i++) {
                assertThat(SocketProbe.isLive(path)).isTrue();
            }
        }
    }
}
