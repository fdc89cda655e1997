// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import vfio.pci.api.VfioException;

/// Runs the socket bench and prints its figures as markdown tables.
///
/// `java -cp benchmarks.jar bench.socket.Main [ROUNDS [PART[,PART]... [COMMAND]]]`: nine rounds when nothing is said, and all parts of
/// `core`, `clients`, `allocation`, `start`, `pauses`. COMMAND starts somebody else's server, with a path behind it for the socket, to
/// be measured in the part `core`. The parts `start` and `pauses` need the project's folder as the current one.
///
/// It needs Linux, `taskset` and a C compiler, and takes the first processor.
public final class Main {
    /// The processor of all that is measured.
    static final int FIRST = 0;
    private static final String ALL = "core,clients,allocation,start,pauses";

    private Main() {
    }

    /// Runs and prints.
    public static void main(String[] args) throws IOException, InterruptedException, VfioException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 9;
        List<String> parts = List.of((args.length > 1 ? args[1] : ALL).split(","));
        String other = args.length > 2 ? args[2] : null;
        PrintStream out = System.out;
        out.printf("JDK %s, %d rounds, load average before: %s%n", Runtime.version(), rounds, load());
        try (Tools tools = new Tools()) {
            for (String part : parts) {
                switch (part) {
                    case "core" -> new OneCore(tools, rounds, out).run(other);
                    case "clients" -> new ManyClients(tools, rounds, out).run();
                    case "allocation" -> Allocation.run(tools, out);
                    case "start" -> new StartUp(tools, rounds, out).run();
                    case "pauses" -> new Pauses(tools, out).run();
                    default -> throw new IllegalArgumentException("part=" + part + " expected=" + ALL);
                }
                out.printf("%nload average after: %s%n", load());
            }
        }
    }

    private static String load() throws IOException {
        return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
    }
}
