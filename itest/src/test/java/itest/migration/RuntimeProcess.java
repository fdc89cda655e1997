// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.PciAddress;

/** A runtime as a process of its own, which serves virtual functions of its simulated XL710. */
public final class RuntimeProcess implements AutoCloseable {
    private static final Path BUNDLES = Path.of(System.getProperty("itest.bundles", "target/bundles")).toAbsolutePath();
    private static final long LONGEST_SECONDS = 60;

    private final String name;
    private final Path folder;
    private final Process process;
    private final CountDownLatch serving;
    private final List<String> printed = new ArrayList<>();

    private RuntimeProcess(String name, Path folder, Process process, int devices) {
        this.name = name;
        this.folder = folder;
        this.process = process;
        serving = new CountDownLatch(devices);
    }

    /**
     * Starts one; clients may connect when this returns.
     *
     * @param folder where its sockets are, and its state
     */
    public static RuntimeProcess start(String name, Path folder, List<PciAddress> served, String... properties) throws Exception {
        Path own = Files.createDirectories(folder.resolve(name));
        StringBuilder pairs = new StringBuilder();
        served.forEach(address -> pairs.append(address).append('\n').append(own.resolve(address + ".sock")).append('\n'));
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
            "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp",
            System.getProperty("java.class.path"), RuntimeMain.class.getName(), BUNDLES.toString(), own.resolve("bundles").toString(),
            "vfio.serve=" + pairs, "vfio.control=" + own.resolve("control"), "vfio.migrate=" + own.resolve("migrate")));
        command.addAll(List.of(properties));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var runtime = new RuntimeProcess(name, own, process, served.size());
        Thread.ofPlatform().daemon().name("output of " + name).start(runtime::read);
        if (!runtime.serving.await(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            runtime.close();
            throw new AssertionError(name + " does not serve; it printed " + runtime.printed());
        }
        return runtime;
    }

    private void read() {
        try (BufferedReader output = process.inputReader()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                synchronized (printed) {
                    printed.add(line);
                }
                if (line.startsWith("serving ")) {
                    serving.countDown();
                }
            }
        } catch (IOException e) {
            synchronized (printed) {
                printed.add("end: " + e.getMessage());
            }
        }
    }

    /** The socket of a device. */
    public Path socket(PciAddress address) {
        return folder.resolve(address + ".sock");
    }

    /** Where commands are taken. */
    public Path control() {
        return folder.resolve("control");
    }

    /** Where VMMs say that they take part. */
    public Path migrate() {
        return folder.resolve("migrate");
    }

    /** What it has printed so far. */
    public List<String> printed() {
        synchronized (printed) {
            return List.copyOf(printed);
        }
    }

    /** Ends it at once, as a crash would, and returns when it is no more. */
    public void kill() {
        process.destroyForcibly();
        try {
            process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return name;
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
