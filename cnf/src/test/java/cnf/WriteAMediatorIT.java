// SPDX-License-Identifier: Apache-2.0
package cnf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Does what docs/write-a-mediator.md says, from the page: its shell blocks are run, its Java blocks are written to the files they name,
 * its console blocks are typed to a running runtime and their answers expected. Maven looks nothing up.
 */
final class WriteAMediatorIT {
    private static final Path PAGE = Path.of(System.getProperty("docs"), "write-a-mediator.md");
    private static final long LONGEST_SECONDS = 120;
    /** Maven as the page calls it, but without the network, and with the repository of the build that runs the test. */
    private static final String OFFLINE = "set -eu; mvn() { \"$MAVEN\" -o -B -ntp -Dmaven.repo.local=\"$REPOSITORY\" \"$@\"; }\n";

    @TempDir
    private Path folder;
    private Path state;

    @BeforeEach
    void watchedFolders() throws IOException {
        state = Files.createDirectory(folder.resolve("state"));
        Files.createDirectory(state.resolve("etc"));
        Files.createDirectory(state.resolve("load"));
    }

    @Test
    void theDistributionHasTheTemplateThatThePageShows() throws IOException {
        List<PageBlock> files = PageBlock.all(PAGE).stream().filter(block -> block.language().equals("java")).toList();
        assertThat(files).hasSize(2).allSatisfy(block -> assertThat(LaunchedRuntime.DISTRIBUTION.resolve("template").resolve(block.file()))
            .content().isEqualTo(block.fileContent()));
    }

    @Test
    void aMediatorIsBuiltTestedAndHotInstalledAsThePageSays() throws Exception {
        try (var runtime = new LaunchedRuntime(state)) {
            for (PageBlock block : PageBlock.all(PAGE)) {
                switch (block.language()) {
                    case "sh" -> runInShell(block);
                    case "java" -> Files.writeString(folder.resolve("my-mediator").resolve(block.file()), block.fileContent());
                    case "console" -> type(block, runtime);
                    default -> throw new AssertionError("language=" + block.language() + " expected=sh, java or console");
                }
            }
            runtime.type("stop 0");
            runtime.awaitEnd();
        }
        assertThat(folder.resolve("my-mediator/target/surefire-reports/TEST-example.mediator.ExampleMediationTest.xml"))
            .content().contains("tests=\"4\"").contains("failures=\"0\"").contains("errors=\"0\"");
    }

    /** A line of scope vfio is a command, what follows it must be in its answer, sooner or later. */
    private static void type(PageBlock block, LaunchedRuntime runtime) throws Exception {
        String command = "";
        for (String line : block.lines()) {
            if (line.startsWith("vfio:")) {
                command = line;
            } else {
                // A device that is not there yet, or a column that is padded, is no answer.
                List<String> words = List.of(line.split(" "));
                runtime.awaitAnswer(command, answer -> words.stream().allMatch(answer::contains), true);
            }
        }
    }

    private void runInShell(PageBlock block) throws Exception {
        Path log = folder.resolve("shell.log");
        var builder = new ProcessBuilder("bash", "-c", OFFLINE + String.join("\n", block.lines())).directory(folder.toFile())
            .redirectErrorStream(true).redirectOutput(log.toFile());
        var environment = builder.environment();
        environment.put("VFIO_HOME", LaunchedRuntime.DISTRIBUTION.toString());
        environment.put("VFIO_ETC", state.resolve("etc").toString());
        environment.put("VFIO_LOAD", state.resolve("load").toString());
        environment.put("MAVEN", Path.of(System.getProperty("maven.home"), "bin", "mvn").toString());
        environment.put("REPOSITORY", System.getProperty("maven.repo.local"));
        Process process = builder.start();
        try {
            assertThat(process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)).as("ends: %s", block).isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).as("%s%n%s", block, Files.readString(log)).isZero();
    }
}
