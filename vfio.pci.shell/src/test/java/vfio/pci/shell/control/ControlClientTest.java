// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The client and Gogo itself at the two ends of a control socket.
@Timeout(20)
class ControlClientTest {
    @TempDir
    private Path folder;

    private final ThreadIOImpl threadIo = new ThreadIOImpl();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private CommandProcessorImpl gogo;
    private ControlServer server;

    /// Commands of scope `test`.
    public static final class TestCommands {
        public void say(String[] words) {
            System.out.println(String.join(" ", words));
            System.err.println("said");
        }

        public String give() {
            return "given";
        }

        public String giveEmpty() {
            return "";
        }

        public void refuse() throws VfioException {
            throw new VfioException(Errno.ENODEV, "address=0x1");
        }

        public void crash() {
            throw new IllegalStateException("two\n  lines");
        }

        public void overflow() {
            overflow();
        }

        public void nameless() {
            throw new UnsupportedOperationException();
        }
    }

    @BeforeEach
    void start() throws Exception {
        threadIo.start();
        gogo = new CommandProcessorImpl(threadIo);
        gogo.addCommand("test", new TestCommands());
        server = new ControlServer(folder.resolve("s"), new GogoRunner(gogo));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        gogo.stop();
        threadIo.stop();
    }

    private int run(String command) {
        out.reset();
        err.reset();
        return runAt(command, folder.resolve("s"));
    }

    private int runAt(String command, Path... sockets) {
        return ControlClient.run(List.of(sockets), command, new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    @Test
    void tellsErrnoOfRefusal() {
        assertThat(run("test:refuse")).isEqualTo(3);
        assertThat(err).hasToString("error: ENODEV: address=0x1\n");
        assertThat(out.size()).isZero();
    }

    @Test
    void tellsWhateverElseInOneLine() {
        assertThat(run("test:crash")).isEqualTo(3);
        assertThat(err).hasToString("error: two lines\n");
        assertThat(run("test:nameless")).isEqualTo(3);
        assertThat(err).hasToString("error: UnsupportedOperationException\n");
        assertThat(run("test:overflow")).isEqualTo(3);
        assertThat(err).hasToString("error: StackOverflowError\n");
        assertThat(run("no:such")).isEqualTo(3);
        assertThat(err).hasToString("error: Command not found: no:such\n");
    }

    @Test
    void survivesWhatCannotBeParsed() {
        for (String command : new String[] {"(", "{", "\"", "(".repeat(30_000), "$(", "test:say 'a"}) {
            assertThat(run(command)).as(command.substring(0, 1)).isEqualTo(3);
            assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("error: ").endsWith("\n").hasLineCount(1);
        }
        assertThat(run("test:say here")).isZero();
    }

    @Test
    void saysNothingWhenNobodyListens() throws Exception {
        server.close();
        assertThat(run("test:say hi")).isEqualTo(ControlClient.NO_RUNTIME);
        assertThat(out.size() + err.size()).isZero();
    }

    @Test
    void tellsThatRuntimeEnded() throws Exception {
        server.close();
        try (var deaf = SocketFile.listen(folder.resolve("s"))) {
            var gone = Thread.ofVirtual().start(() -> acceptTwice(deaf));
            assertThat(run("test:say hi")).isEqualTo(3);
            assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("error: control=").hasLineCount(1);
            gone.join();
        }
    }

    /// The probe, then the client itself; both find the connection closed.
    private static void acceptTwice(SocketFile socket) {
        try {
            socket.channel().accept().close();
            socket.channel().accept().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void choosesTheOneThatListens() throws Exception {
        Path stale = folder.resolve("stale");
        Path second = folder.resolve("t");
        assertThat(runAt("test:give", stale, folder.resolve("s"), second)).isZero();
        assertThat(out).hasToString("given\n");
        assertThat(err.size()).isZero();
        try (var _ = new ControlServer(second, new GogoRunner(gogo))) {
            assertThat(runAt("test:give", stale, folder.resolve("s"), second)).isEqualTo(3);
            assertThat(err).hasToString("error: runtimes=2 expected=one; choose with --control: %s %s\n".formatted(
                folder.resolve("s"), second));
        }
        assertThat(runAt("test:give", stale, second)).isEqualTo(ControlClient.NO_RUNTIME);
    }

    @Test
    void passesOutputAndErrorsOn() {
        assertThat(run("test:say \"one;  two\" a 'b  c' | test:say three")).isZero();
        assertThat(out).hasToString("three\n");
        assertThat(run("test:say \"one;  two\" a 'b  c'")).isZero();
        assertThat(out).hasToString("one;  two a b  c\n");
        assertThat(err).hasToString("said\n");
    }

    @Test
    void printsResultAsThePromptWould() {
        assertThat(run("test:give")).isZero();
        assertThat(out).hasToString("given\n");
        assertThat(run("test:giveEmpty")).isZero();
        assertThat(out.size()).isZero();
    }

    @Test
    void runsEachCommandInSessionOfItsOwn() {
        assertThat(run("x = 1")).isZero();
        assertThat(run("test:say \"x=$x\"")).isZero();
        assertThat(out).hasToString("x=\n");
    }

    @Test
    void keepsNumbersAsTyped() {
        assertThat(run("test:say 0x10 010 1d 1e3 18446744073709551615 true")).isZero();
        assertThat(out).hasToString("0x10 010 1d 1e3 18446744073709551615 true\n");
    }
}
