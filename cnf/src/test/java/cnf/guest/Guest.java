// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A Linux guest under QEMU that does what it is told: cnf/guest/scenarios/commands runs in it, reads commands from its second serial line
 * and answers on its console.
 */
final class Guest implements AutoCloseable {
    private static final Path SCRIPTS = Path.of(System.getProperty("guest.scripts"));
    private static final Duration PACKING = Duration.ofSeconds(60);
    /** A boot takes 5 s on an idle machine. */
    private static final Duration BOOT = Duration.ofSeconds(180);
    private static final Duration COMMAND = Duration.ofSeconds(60);
    private static final Pattern DONE = Pattern.compile("guest: done (\\d+) (\\d+)");

    private final Program qemu;
    private final Path errors;
    private final RandomAccessFile commands;
    private int number;

    private Guest(Program qemu, Path errors, RandomAccessFile commands) {
        this.qemu = qemu;
        this.errors = errors;
        this.commands = commands;
    }

    /** Packs what guests boot from that look at registers. */
    static Path initrd(Path folder) throws IOException, InterruptedException {
        return initrd(folder, "-m", "vfio-pci", "-m", "vfio_iommu_type1");
    }

    /**
     * Packs what guests boot from.
     *
     * @param options of cnf/guest/initramfs
     */
    static Path initrd(Path folder, String... options) throws IOException, InterruptedException {
        Path initrd = folder.resolve("initrd");
        var arguments = new ArrayList<>(List.of(initrd.toString()));
        arguments.addAll(List.of(options));
        arguments.add(SCRIPTS.resolve("scenarios/commands").toString());
        try (var packing = new Program("initramfs", script("initramfs", arguments.toArray(String[]::new)).redirectErrorStream(true))) {
            int code = packing.awaitEnd(PACKING);
            if (code != 0) {
                throw new AssertionError("exit code " + code + packing.transcript());
            }
        }
        return initrd;
    }

    /**
     * Boots a guest and waits until it takes commands.
     *
     * @param folder an empty one of its own
     * @param devices as cnf/guest/boot takes them: SOCKET@SLOT
     */
    static Guest boot(Path folder, Path initrd, String... devices) throws IOException, InterruptedException {
        Guest guest = begin(folder, initrd, List.of(devices), List.of());
        guest.awaitReady();
        return guest;
    }

    /**
     * Begins to boot a guest.
     *
     * @param more QEMU's own arguments, before those of the devices
     */
    static Guest begin(Path folder, Path initrd, List<String> devices, List<String> more) throws IOException, InterruptedException {
        return begin(folder, initrd, List.of("--iommu", "--append", "limit=900"), devices, more);
    }

    /**
     * As the other one.
     *
     * @param options of cnf/guest/boot
     */
    static Guest begin(Path folder, Path initrd, List<String> options, List<String> devices, List<String> more)
            throws IOException, InterruptedException {
        Path pipe = folder.resolve("commands");
        for (String end : List.of(".in", ".out")) {
            try (var mkfifo = new Program("mkfifo", new ProcessBuilder("mkfifo", "-m", "600", pipe + end))) {
                mkfifo.awaitEnd(COMMAND);
            }
        }
        var arguments = new ArrayList<>(options);
        arguments.addAll(devices);
        arguments.addAll(List.of("--", initrd.toString(), "-serial", "pipe:" + pipe));
        arguments.addAll(more);
        Path errors = folder.resolve("qemu.err");
        // For reading as well: so opening it does not wait for QEMU, and writing outlives it.
        var commands = new RandomAccessFile(pipe + ".in", "rw");
        return new Guest(new Program("guest", script("boot", arguments.toArray(String[]::new)).redirectError(errors.toFile())),
            errors, commands);
    }

    /** Waits until it takes commands; one that does not is ended. */
    void awaitReady() throws IOException, InterruptedException {
        boolean ready = false;
        try {
            qemu.await("takes commands", 0, "guest: ready"::equals, BOOT);
            ready = true;
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + Files.readString(errors), e);
        } finally {
            if (!ready) {
                close();
            }
        }
    }

    static ProcessBuilder script(String name, String... arguments) {
        var command = new ArrayList<String>();
        command.add(SCRIPTS.resolve(name).toString());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectInput(Path.of("/dev/null").toFile());
    }

    /** Runs a command that succeeds; what it printed. */
    List<String> run(String command) throws InterruptedException {
        return start(command).awaitEnd();
    }

    /** As {@link #run} for a command that prints one line. */
    String ask(String command) throws InterruptedException {
        List<String> answer = run(command);
        if (answer.size() != 1) {
            throw new AssertionError("%s printed %s, expected one line".formatted(command, answer));
        }
        return answer.getFirst();
    }

    /** Starts a command; the next one waits for its end. */
    Running start(String command) {
        int position = qemu.position();
        number++;
        try {
            commands.write((number + " " + command + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Running(command, number, position);
    }

    /** Ends the guest as a user would, from within; QEMU's exit code. */
    int powerOff() throws InterruptedException, IOException {
        int position = qemu.position();
        commands.write("end\n".getBytes(StandardCharsets.UTF_8));
        qemu.await("powers off", position, "guest: exit 0"::equals, COMMAND);
        return qemu.awaitEnd(COMMAND);
    }

    /** What the guest and QEMU said. */
    String transcript() throws IOException {
        return qemu.transcript() + "\n" + Files.readString(errors);
    }

    @Override
    public void close() {
        qemu.close();
        try {
            commands.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A command at work. */
    final class Running {
        private final String command;
        private final int started;
        private int position;

        private Running(String command, int started, int position) {
            this.command = command;
            this.started = started;
            this.position = position;
        }

        /** Waits for a line that matches, after those that were waited for. */
        String await(String regex) throws InterruptedException {
            Pattern pattern = Pattern.compile(regex);
            position = qemu.await("`%s` printed a line like %s".formatted(command, regex), position, line -> {
                failWhenDone(line);
                return pattern.matcher(line).matches();
            }, COMMAND);
            return qemu.line(position - 1);
        }

        /** Waits for its end, which must be a success; what it printed since what was waited for last. */
        List<String> awaitEnd() throws InterruptedException {
            int from = position;
            String done = "guest: done " + started + " ";
            position = qemu.await("`%s` ended".formatted(command), position, line -> line.startsWith(done), COMMAND);
            List<String> printed = qemu.linesFrom(from).subList(0, position - 1 - from);
            if (!qemu.line(position - 1).equals(done + 0)) {
                throw new AssertionError("`%s` in the guest: %s after %s".formatted(command, qemu.line(position - 1), printed));
            }
            return printed;
        }

        private void failWhenDone(String line) {
            var done = DONE.matcher(line);
            if (done.matches() && Integer.parseInt(done.group(1)) == started) {
                throw new AssertionError("`%s` in the guest ended too early: %s".formatted(command, qemu.transcript()));
            }
        }
    }
}
