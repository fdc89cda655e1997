// SPDX-License-Identifier: Apache-2.0
package cnf;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tools of the distribution against a device that its runtime serves. */
final class ToolsIT {
    private static final Path DISTRIBUTION = Path.of(System.getProperty("distribution"));
    private static final Path SESSION = Path.of("src/test/traces/qemu-xl710-vf.trace").toAbsolutePath();
    private static final long DEADLINE_SECONDS = 60;

    @TempDir
    private Path state;

    private record Ended(int code, String output) {
    }

    @BeforeEach
    void watchedFolders() throws Exception {
        Files.createDirectory(state.resolve("etc"));
        Files.createDirectory(state.resolve("load"));
        for (String name : List.of("device.sim.xl710-default.cfg", "mediator.i40e.cfg")) {
            Files.copy(DISTRIBUTION.resolve("etc").resolve(name), state.resolve("etc").resolve(name));
        }
    }

    @Test
    void probeSaysInOneLineThatNobodyIsThere() throws Exception {
        Ended probe = run("probe", state.resolve("nobody").toString());
        assertThat(probe.code()).isEqualTo(3);
        assertThat(probe.output().lines()).singleElement().asString().startsWith("error: ENOENT");
    }

    @Test
    void rejectsWrongCalls() throws Exception {
        assertThat(run("probe").code()).isEqualTo(2);
        assertThat(run("replay", "file").code()).isEqualTo(2);
        assertThat(run("replay", state.resolve("etc/mediator.i40e.cfg").toString(), "socket").code()).isEqualTo(3);
    }

    @Test
    void probesAndReplaysARecordedSessionOfQemu() throws Exception {
        Path socket = state.resolve("vf.sock");
        try (var runtime = new LaunchedRuntime(state, "-Dvfio.serve=0000:3b:02.0\n" + socket)) {
            runtime.awaitLine(line -> line.startsWith("serving "));
            Ended probe = run("probe", socket.toString(), "-j");
            assertThat(probe.code()).isZero();
            assertThat(probe.output()).contains("\"vendor\":\"0x8086\"", "\"kind\":\"sparse-mmap\"", "\"name\":\"msix\",\"count\":5",
                "\"io_fds\":[{\"offset\":\"0x3800\",\"size\":4,\"type\":0,\"flags\":\"0x1\",\"datamatch\":\"0x19\"}");

            Ended same = run("replay", SESSION.toString(), socket.toString());
            assertThat(same.output()).startsWith("same: sent=799 compared=799");
            assertThat(same.code()).isZero();

            byte[] changed = Files.readAllBytes(SESSION);
            int at = new String(changed, StandardCharsets.ISO_8859_1).indexOf("{\"capabilities\":{\"max_msg_fds\":16,");
            changed[at + 1] = 'X';
            Path other = Files.write(state.resolve("other.trace"), changed);
            Ended different = run("replay", other.toString(), socket.toString());
            assertThat(different.output()).startsWith("different after sent=1 same=1:");
            assertThat(different.code()).isEqualTo(1);
        }
    }

    private Ended run(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-cp", DISTRIBUTION + "/lib/vfio.user.tool.jar:" + DISTRIBUTION + "/bundle/*",
            "vfio.user.tool.Tool"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
            .redirectOutput(state.resolve("output").toFile()).start();
        try {
            assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
            return new Ended(process.exitValue(), Files.readString(state.resolve("output")));
        } finally {
            process.destroyForcibly();
        }
    }
}
