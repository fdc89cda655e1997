// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import cnf.LaunchedRuntime;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import vfio.pci.shell.control.ControlClient;

/** The distribution with its default devices, some of them served; commands reach it through its control socket. */
final class Host implements AutoCloseable {
    static final String VF = "0000:3b:02.0";
    static final String SECOND_VF = "0000:3b:02.1";
    static final String THIRD_VF = "0000:3b:02.2";
    static final String IGD = "0000:00:02.0";

    private static final int BUNDLE_ID = 2;
    private static final Duration START = Duration.ofSeconds(60);

    private final Path folder;
    private final Program runtime;

    private Host(Path folder, Program runtime) {
        this.folder = folder;
        this.runtime = runtime;
    }

    /**
     * Starts it and waits until clients may connect to these devices.
     *
     * @param folder an empty one of its own
     * @param more configurations beside the default ones, by the name of their file
     */
    static Host start(Path folder, Map<String, String> more, String... addresses) throws IOException, InterruptedException {
        Files.createDirectory(folder.resolve("load"));
        Path etc = Files.createDirectory(folder.resolve("etc"));
        try (var defaults = Files.newDirectoryStream(LaunchedRuntime.DISTRIBUTION.resolve("etc"))) {
            for (Path each : defaults) {
                Files.copy(each, etc.resolve(each.getFileName()));
            }
        }
        for (var each : more.entrySet()) {
            Files.writeString(etc.resolve(each.getKey()), each.getValue());
        }
        String served = Stream.of(addresses).map(each -> each + "\n" + folder.resolve(each + ".sock") + "\n").collect(Collectors.joining());
        var builder = LaunchedRuntime.builder(folder, "-Dvfio.until.eof=true", "-Dgosh.args=--nointeractive",
            "-Dvfio.control=" + folder.resolve("control"), "-Dvfio.control.required=true", "-Dvfio.serve=" + served);
        var host = new Host(folder, new Program("runtime", builder));
        boolean serving = false;
        try {
            for (String address : addresses) {
                host.runtime.await("serves " + address, 0, line -> line.startsWith("serving " + address + " on "), START);
            }
            serving = true;
            return host;
        } finally {
            if (!serving) {
                host.close();
            }
        }
    }

    /** Where a device is served. */
    Path socket(String address) {
        return folder.resolve(address + ".sock");
    }

    /** Where a guest finds a device, by cnf/guest/boot's word for it. */
    String at(String address, String slot) {
        return socket(address) + "@" + slot;
    }

    /** Runs a command that succeeds; what it printed. */
    List<String> run(String command) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code = ControlClient.run(List.of(folder.resolve("control")), command, new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
        if (code != 0) {
            throw new AssertionError("`%s` gave exit code %d: %s%s".formatted(command, code, out, err));
        }
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    /** As {@link #run} for a command that prints one line. */
    String ask(String command) {
        List<String> answer = run(command);
        if (answer.size() != 1) {
            throw new AssertionError("%s printed %s, expected one line".formatted(command, answer));
        }
        return answer.getFirst();
    }

    Stats stats(String address) {
        // What is behind an empty line is of the socket, not of the device.
        Map<String, Long> counters = run("vfio:stats " + address).stream().skip(1).takeWhile(row -> !row.isBlank())
            .map(row -> row.split(" +"))
            .collect(Collectors.toMap(cells -> cells[0], cells -> Long.valueOf(cells[1])));
        return new Stats(counters.get("mediated"), counters.get("passedThrough"), counters.get("trapped"), counters.get("interrupts"),
            counters.get("errors"));
    }

    /** The rest of the row of a device's description that begins with this. */
    String property(String address, String name) {
        return run("vfio:device " + address).stream().filter(row -> row.startsWith(name + " ")).findFirst().orElse(name + " -")
            .substring(name.length()).strip();
    }

    /** What a network device counted, by {@code sim:stats}. */
    Map<String, Long> counters(String address) {
        return run("sim:stats " + address).stream().map(row -> row.split(" +")).filter(cells -> cells[1].matches("\\d+"))
            .collect(Collectors.toMap(cells -> cells[0], cells -> Long.valueOf(cells[1])));
    }

    /** The cells of the row of a mediator; empty when it is not there. */
    List<String> mediator(String name) {
        return run("vfio:mediators").stream().filter(row -> row.startsWith(name + " ")).map(row -> List.of(row.split("  +"))).findFirst()
            .orElse(List.of());
    }

    /** Does something while a mediator's bundle is not there, and installs it again. */
    void withoutMediator(String name, Step step) throws Exception {
        run("uninstall " + mediator(name).get(BUNDLE_ID));
        step.take();
        List<String> installed = run("install file:" + LaunchedRuntime.DISTRIBUTION.resolve("bundle/mediator." + name + ".jar"));
        run("start " + installed.getFirst().replace("Bundle ID: ", ""));
    }

    /** Something a test does in between. */
    @FunctionalInterface
    interface Step {
        void take() throws Exception;
    }

    /** Begins to trace a device; each message is a line. It ends with the next one of that device, or when closed. */
    Program trace(String address) throws IOException, InterruptedException {
        var command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
            "-cp", LaunchedRuntime.DISTRIBUTION.resolve("bundle/vfio.pci.shell.jar").toString(), ControlClient.class.getName(),
            "vfio:trace " + address, folder.resolve("control").toString());
        var trace = new Program("trace", new ProcessBuilder(command).redirectErrorStream(true));
        trace.await("traces", 0, ("tracing " + address)::equals, START);
        return trace;
    }

    /** What the runtime holds for clients: memory and events that came from them, or that it lends them. */
    Held held() throws IOException {
        Path process = Path.of("/proc", Long.toString(runtime.handle().pid()));
        long descriptors = 0;
        try (var all = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path each : all) {
                String target = Files.isSymbolicLink(each) ? Files.readSymbolicLink(each).toString() : "";
                descriptors += target.contains("memfd:") || target.contains("eventfd") ? 1 : 0;
            }
        }
        try (Stream<String> maps = Files.lines(process.resolve("maps"))) {
            return new Held(descriptors, maps.filter(line -> line.contains("memfd:")).count());
        }
    }

    /** What {@link #held} counts. */
    record Held(long descriptors, long mappings) {
    }

    String transcript() {
        return runtime.transcript();
    }

    /** Terminates it, as a user would. */
    @Override
    public void close() throws InterruptedException {
        try (runtime) {
            runtime.handle().destroy();
            runtime.awaitEnd(START);
        }
    }

    /** What {@code vfio:stats} counts. */
    record Stats(long mediated, long passedThrough, long trapped, long interrupts, long errors) {
        /** Accesses of clients. */
        long accesses() {
            return mediated + passedThrough;
        }

        Stats since(Stats before) {
            return new Stats(mediated - before.mediated, passedThrough - before.passedThrough, trapped - before.trapped,
                interrupts - before.interrupts, errors - before.errors);
        }
    }
}
