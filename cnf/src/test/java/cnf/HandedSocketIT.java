// SPDX-License-Identifier: Apache-2.0
package cnf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import vfio.user.wire.client.VfioUserClient;

/** {@code ./vfio serve} on sockets that listen before it starts, handed over as a service manager does: by fork and exec. */
final class HandedSocketIT {
    private static final Path SCRIPT = LaunchedRuntime.DISTRIBUTION.resolve("../../../vfio").normalize();
    private static final String VF = "0000:3b:02.0";
    private static final String OTHER_VF = "0000:3b:02.1";
    private static final String IGD = "0000:00:02.0";
    private static final int VF_ID = 0x154c8086;
    private static final int IGD_ID = 0x59278086;
    private static final int CONFIG = 7;
    private static final long DEADLINE_SECONDS = 60;

    /** Listens on the paths up to --, with descriptors from 3 on, and becomes ./vfio with the words after it. */
    private static final String MANAGER = """
        import os, socket, sys
        end = sys.argv.index("--")
        listening = []
        for path in sys.argv[2:end]:
            one = socket.socket(socket.AF_UNIX)
            one.bind(path)
            one.listen()
            listening.append(one.detach())
        for number in reversed(range(len(listening))):
            os.dup2(listening[number], 50 + number)
        os.closerange(3, 50)
        for number in range(len(listening)):
            os.dup2(50 + number, 3 + number)
        os.closerange(50, 60)
        if sys.argv[1] == "activate":
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(listening)), LISTEN_FDNAMES="a:b")
        os.execv(sys.argv[end + 1], sys.argv[end + 1:])
        """;

    @TempDir
    private Path folder;

    @BeforeEach
    void needsPython() throws Exception {
        var look = new ProcessBuilder("sh", "-c", "command -v python3").redirectOutput(ProcessBuilder.Redirect.DISCARD);
        assumeTrue(look.start().waitFor() == 0, "there is no python3");
        Files.createDirectory(folder.resolve("run"));
    }

    @Test
    void servesOnADescriptorThatWasNamed() throws Exception {
        Path one = folder.resolve("one.sock");
        Path other = folder.resolve("other.sock");
        Path own = folder.resolve("own.sock");
        Process process = start("name", List.of(one, other), "--fd", "4", OTHER_VF, VF, own.toString());
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).startsWith("control socket ");
            assertThat(output.readLine()).isEqualTo("serving %s on fd 4", OTHER_VF);
            assertThat(output.readLine()).isEqualTo("serving %s on %s", VF, own);
            assertServes(other, VF_ID);
            assertServes(own, VF_ID);
            assertEndsInOrder(process);
        }
        assertThat(other).as("its maker's").exists();
        assertThat(own).doesNotExist();
        // What the next start takes its classes from.
        assertThat(folder.resolve("cache/vfio-mediate")).isDirectoryContaining("glob:**.jsa");
    }

    @Test
    void servesOnActivatedSocketsInTheirOrder() throws Exception {
        // More of them than the script has fixed descriptors of its own.
        List<Path> sockets = new ArrayList<>();
        List<String> addresses = List.of(VF, OTHER_VF, IGD, "0000:3b:02.2", "0000:3b:02.3");
        for (int i = 0; i < addresses.size(); i++) {
            sockets.add(folder.resolve(i + ".sock"));
        }
        Process process = start("activate", sockets, addresses.toArray(String[]::new));
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).startsWith("control socket ");
            for (int i = 0; i < addresses.size(); i++) {
                assertThat(output.readLine()).isEqualTo("serving %s on fd %d", addresses.get(i), 3 + i);
            }
            for (int i = 0; i < addresses.size(); i++) {
                assertServes(sockets.get(i), addresses.get(i).equals(IGD) ? IGD_ID : VF_ID);
            }
            assertEndsInOrder(process);
        }
        assertThat(sockets).allMatch(Files::exists);
    }

    @Test
    void refusesWhatIsNoListeningSocket() throws Exception {
        Path one = folder.resolve("one.sock");
        assertRefused(2, "fd=9 expected=a socket that was handed over", "name", List.of(one), "--fd", "9", VF);
        assertRefused(2, "fd=2 expected=a number above 2", "name", List.of(one), "--fd", "2", VF);
        assertRefused(2, "fd=x expected=a number above 2", "name", List.of(one), "--fd", "x", VF);
        assertRefused(2, "LISTEN_FDS=1 addresses=2 expected=an ADDRESS for each", "activate", List.of(one), VF, OTHER_VF);
        assertRefused(3, "fd:3 is there twice", "name", List.of(one), "--fd", "3", VF, "--fd", "3", OTHER_VF);
    }

    private void assertRefused(int code, String reason, String how, List<Path> sockets, String... words) throws Exception {
        Process process = start(how, sockets, words);
        try {
            assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(Files.readString(folder.resolve("errors"))).contains("error: " + reason);
            assertThat(process.exitValue()).isEqualTo(code);
        } finally {
            process.destroyForcibly();
            for (Path socket : sockets) {
                Files.deleteIfExists(socket);
            }
        }
    }

    private Process start(String how, List<Path> sockets, String... words) throws IOException {
        var command = new ArrayList<>(List.of("python3", "-c", MANAGER, how));
        sockets.forEach(each -> command.add(each.toString()));
        command.addAll(List.of("--", SCRIPT.toString(), "serve"));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command).redirectError(folder.resolve("errors").toFile());
        builder.environment().put("VFIO_JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("XDG_RUNTIME_DIR", folder.resolve("run").toString());
        builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        return builder.start();
    }

    /** A client finds a device of this id there. */
    private static void assertServes(Path socket, int id) throws Exception {
        try (var client = VfioUserClient.connect(socket); Arena arena = Arena.ofConfined()) {
            MemorySegment read = arena.allocate(ValueLayout.JAVA_INT);
            client.read(CONFIG, 0, read, 0, Integer.BYTES);
            assertThat(read.get(ValueLayout.JAVA_INT, 0)).isEqualTo(id);
        }
    }

    private static void assertEndsInOrder(Process process) throws InterruptedException {
        process.toHandle().destroy();
        assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }
}
