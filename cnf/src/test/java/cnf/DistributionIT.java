// SPDX-License-Identifier: Apache-2.0
package cnf;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The distribution, started as users start it. */
final class DistributionIT {
    @TempDir
    private Path state;

    @BeforeEach
    void watchedFolders() throws Exception {
        Files.createDirectory(state.resolve("etc"));
        Files.createDirectory(state.resolve("load"));
    }

    @Test
    void startsWithEveryBundleActive() throws Exception {
        try (var runtime = new LaunchedRuntime(state)) {
            var rows = runtime.answer("lb -s").stream().filter(line -> line.matches(" *\\d+\\|.*")).toList();
            assertThat(rows).isNotEmpty().allMatch(row -> row.contains("|Active "));
            assertThat(rows).anyMatch(row -> row.contains("|vfio.pci.core "));
            runtime.type("stop 0");
            runtime.awaitEnd();
            assertThat(runtime.exitCode()).isZero();
        }
    }

    @Test
    void runsOneCommandAndReturnsItsCode() throws Exception {
        try (var runtime = new LaunchedRuntime(state, headless("echo done"))) {
            assertThat(withoutLog(runtime.awaitEnd())).containsExactly("done");
            assertThat(runtime.exitCode()).isZero();
        }
        try (var runtime = new LaunchedRuntime(state, headless("no-such-command"))) {
            assertThat(withoutLog(runtime.awaitEnd())).singleElement().asString().contains("Command not found: no-such-command");
            assertThat(runtime.exitCode()).isEqualTo(3);
        }
    }

    @Test
    void endsWithItsInput() throws Exception {
        try (var runtime = new LaunchedRuntime(state)) {
            runtime.answer("echo here");
            runtime.endInput();
            runtime.awaitEnd();
            assertThat(runtime.exitCode()).isZero();
        }
    }

    @Test
    void staysWithoutInputUntilTerminated() throws Exception {
        try (var runtime = new LaunchedRuntime(state, "-Dgosh.args=-q --noshutdown -c 'echo serving'")) {
            runtime.endInput();
            runtime.awaitLine("serving"::equals);
            runtime.terminate();
            runtime.awaitEnd();
            assertThat(runtime.exitCode()).as("128 + SIGTERM").isEqualTo(143);
        }
    }

    @Test
    void followsItsFolders() throws Exception {
        Files.writeString(state.resolve("etc/a.component.cfg"), "key = from-the-start\n");
        try (var runtime = new LaunchedRuntime(state)) {
            assertThat(runtime.answer("echo (((getConfiguration a.component) properties) get key)"))
                .anyMatch(line -> line.endsWith("from-the-start"));

            Path jar = state.resolve("load/dropped.in.jar");
            writeBundle(jar, "dropped.in", "vfio.mediator;vendor=1af4");
            runtime.awaitAnswer("lb -s dropped.in", line -> line.contains("|Active "), true);
            Files.delete(jar);
            runtime.awaitAnswer("lb -s dropped.in", line -> line.contains("dropped.in ("), false);

            Path other = state.resolve("load/other.jar");
            writeBundle(other, "other", "something");
            runtime.awaitLine(line -> line.contains("other.jar is refused"));
            assertThat(runtime.answer("lb -s")).noneMatch(line -> line.contains("|other "));

            Files.writeString(state.resolve("etc/a.factory-one.cfg"), "key = made-later\n");
            runtime.awaitAnswer("listConfigurations '(service.factoryPid=a.factory)'",
                line -> line.contains("factoryPID=a.factory,"), true);
        }
    }

    @Test
    void hasDroppedMediatorsFromTheStart() throws Exception {
        writeBundle(state.resolve("load/dropped.in.jar"), "dropped.in", "vfio.mediator;vendor=1af4");
        try (var runtime = new LaunchedRuntime(state, headless("echo (lb -s dropped.in)"))) {
            assertThat(withoutLog(runtime.awaitEnd())).anyMatch(line -> line.contains("dropped.in (") && line.contains("|Active "));
        }
    }

    @Test
    void refreshesItsApiByPlan() throws Exception {
        try (var runtime = new LaunchedRuntime(state)) {
            assertThat(runtime.answer("vfio:plan refresh vfio.pci.api")).anyMatch(line -> line.contains("begun and not waited for"));
            runtime.type("vfio:apply");
            runtime.awaitLine(line -> line.contains("refresh of vfio.pci.api") && line.contains("is done"));
            runtime.awaitAnswer("lb -s", line -> line.matches(" *\\d+\\|.*") && !line.contains("|Active "), false);
            runtime.awaitAnswer("vfio:mediators", line -> line.startsWith("igd "), true);
        }
    }

    /** The log goes to the error output, which is read along. */
    private static List<String> withoutLog(List<String> lines) {
        return lines.stream().filter(line -> !line.matches("\\d{2}:\\d{2}:\\d{2}\\.\\d{3} [A-Z]+ .*")).toList();
    }

    private static String headless(String command) {
        return "-Dgosh.args=-q -c 'try { " + command + " ; exit 0 } { echo \"$exception\" ; exit 3 }'";
    }

    private static void writeBundle(Path jar, String symbolicName, String capability) throws Exception {
        var manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Bundle-ManifestVersion", "2");
        manifest.getMainAttributes().putValue("Bundle-SymbolicName", symbolicName);
        manifest.getMainAttributes().putValue("Provide-Capability", capability);
        new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    }
}
