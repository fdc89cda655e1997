// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.user.wire.VersionCapabilities;

/// A client of a server that does what its script says after VERSION.
final class ScriptedSession implements AutoCloseable {
    /// What the test does with the client.
    interface Steps {
        void run(VfioUserClient client) throws Exception;
    }

    static final Duration LONG = Duration.ofSeconds(20);

    private final Path folder;
    private final ScriptedServer server;
    private final VfioUserClient client;

    private ScriptedSession(ScriptedServer.Script script) throws Exception {
        folder = Files.createTempDirectory("scripted");
        server = new ScriptedServer(folder.resolve("s"), peer -> {
            peer.agree("{}");
            script.run(peer);
        });
        client = VfioUserClient.connect(folder.resolve("s"), VersionCapabilities.NONE, LONG);
    }

    /// Runs both to their ends, and throws what either threw.
    static void run(ScriptedServer.Script script, Steps steps) throws Exception {
        try (ScriptedSession session = new ScriptedSession(script)) {
            steps.run(session.client);
            session.server.finish();
        }
    }

    /// Requires that error of a call.
    static void throwsErrno(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Override
    public void close() throws Exception {
        client.close();
        server.close();
        Files.deleteIfExists(folder.resolve("s"));
        Files.delete(folder);
    }
}
