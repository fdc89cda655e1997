// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import vfio.pci.api.VfioException;
import vfio.user.wire.client.ClientMemory;
import vfio.user.wire.client.VfioUserClient;

/// How long the threads of `./vfio serve` stand still for a collector, by the JVM's own log, while a client reads registers, then maps and
/// unmaps memory, then clients come and go.
final class Pauses {
    /// Every stop of all threads: what for, and how long from the request to the go.
    private static final Pattern STOP = Pattern.compile(".*Safepoint \"(\\w+)\".* Total: +(\\d+) ns.*");
    private static final Pattern OF_COLLECTOR = Pattern.compile("G1.*|GenCollect.*|SerialCollect.*|ParallelGC.*|X.*|Z.*");
    private static final int READS = 300_000;
    private static final int MAPS = 50_000;
    private static final int CLIENTS = 300;
    private static final int PAGE = 4096;
    private static final double MILLI = 1e6;

    private final Tools tools;
    private final PrintStream out;

    Pauses(Tools tools, PrintStream out) {
        this.tools = tools;
        this.out = out;
    }

    void run() throws IOException, InterruptedException, VfioException {
        out.printf("%n%,d reads of 4 bytes, %,d mappings of a page made and ended, %d clients; the start included%n%n", READS, MAPS,
            CLIENTS);
        out.printf("| collector | stops for it | longest, ms | together, ms | longest other stop, ms |%n|---|---|---|---|---|%n");
        // Makes the archive of classes, for which a JVM stops as it ends.
        StartUp.untilLine(new ProcessBuilder(StartUp.serve(tools.socket("first"))), "serving ");
        for (String heap : List.of("", "-Xmx64m ")) {
            for (String collector : List.of("", "-XX:+UseSerialGC ", "-XX:+UseZGC ")) {
                measure(heap + collector);
            }
        }
    }

    private void measure(String options) throws IOException, InterruptedException, VfioException {
        Path log = tools.socket("stops");
        Path socket = tools.socket("pauses");
        var builder = new ProcessBuilder(StartUp.serve(socket)).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("JAVA_TOOL_OPTIONS", options + "-Xlog:safepoint:file=" + log + "::filecount=0");
        Process process = builder.start();
        try (BufferedReader output = process.inputReader()) {
            String line = output.readLine();
            while (line != null && !line.startsWith("serving ")) {
                line = output.readLine();
            }
            if (line == null) {
                throw new IOException("said=nothing expected=serving");
            }
            load(socket);
        } finally {
            process.toHandle().destroy();
            process.waitFor(20, TimeUnit.SECONDS);
        }
        report(options.isEmpty() ? "as started" : options.strip(), Files.readAllLines(log));
    }

    private static void load(Path socket) throws VfioException {
        try (VfioUserClient client = VfioUserClient.connect(socket); Arena arena = Arena.ofConfined();
                ClientMemory memory = ClientMemory.create(PAGE)) {
            MemorySegment word = arena.allocate(Integer.BYTES);
            for (int i = 0; i < READS; i++) {
                client.read(0, 0x8800, word, 0, Integer.BYTES);
            }
            for (int i = 0; i < MAPS; i++) {
                client.mapDma(0, memory, true, true);
                client.unmapDma(0, PAGE);
            }
        }
        for (int i = 0; i < CLIENTS; i++) {
            VfioUserClient.connect(socket).close();
        }
    }

    private void report(String options, List<String> lines) {
        int collections = 0;
        long longest = 0;
        long together = 0;
        long other = 0;
        for (String line : lines) {
            Matcher stop = STOP.matcher(line);
            if (!stop.matches()) {
                continue;
            }
            long nanos = Long.parseLong(stop.group(2));
            if (OF_COLLECTOR.matcher(stop.group(1)).matches()) {
                collections++;
                longest = Math.max(longest, nanos);
                together += nanos;
            } else {
                other = Math.max(other, nanos);
            }
        }
        out.printf("| %s | %d | %.2f | %.2f | %.2f |%n", options, collections, longest / MILLI, together / MILLI, other / MILLI);
    }
}
