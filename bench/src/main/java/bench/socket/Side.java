// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/// A process that is measured, as a client sees it.
///
/// @param name shown
/// @param protocol what the client says: `echo` or `vfio`
/// @param sockets where it listens
/// @param child the process
record Side(String name, String protocol, List<Path> sockets, Child child) implements AutoCloseable {
    /// What one run of a client found.
    ///
    /// @param nanos time per message
    /// @param cpu processor time per message of both ends, in nanoseconds
    /// @param serverCpu of the server's end alone
    /// @param client what the client said itself
    record Run(double nanos, double cpu, double serverCpu, Map<String, Double> client) {
    }

    static Side cEcho(Tools tools, String processors) throws IOException {
        Path socket = tools.socket("c-echo");
        return new Side("C echo", "echo", List.of(socket),
            Child.start(processors, List.of(tools.program(), "echo", socket.toString())).await("ready"));
    }

    static Side javaEcho(Tools tools, String processors) throws IOException {
        Path socket = tools.socket("java-echo");
        return new Side("Java echo", "echo", List.of(socket),
            Child.start(processors, tools.java(List.of(), JavaEcho.class, List.of(socket.toString()))).await("ready"));
    }

    /// The vfio-user server.
    ///
    /// @param options of its JVM
    static Side server(Tools tools, String name, String processors, int sockets, List<String> options) throws IOException {
        List<Path> paths = IntStream.range(0, sockets).mapToObj(i -> tools.socket(name.replace(' ', '-') + "-" + i)).toList();
        return new Side(name, "vfio", paths,
            Child.start(processors, tools.java(options, Server.class, paths.stream().map(Path::toString).toList())).await("ready"));
    }

    /// A server that is somebody else's: a command line whose last word will be the socket's path.
    static Side other(Tools tools, String command, String processors) throws IOException {
        Path socket = tools.socket("other");
        List<String> words = new ArrayList<>(List.of(command.split(" ")));
        words.add(socket.toString());
        Side side = new Side("other", "vfio", List.of(socket), Child.start(processors, words));
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!Files.exists(socket)) {
            if (System.nanoTime() - deadline > 0) {
                side.close();
                throw new IOException("socket=" + socket + " expected=made by " + command);
            }
            LockSupport.parkNanos(1_000_000);
        }
        return side;
    }

    /// Sends messages from a client on those processors.
    Run run(Tools tools, String processors, String kind, int count, int connections) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(protocol, kind, Integer.toString(count)));
        sockets.subList(0, connections).forEach(socket -> arguments.add(socket.toString()));
        try (Child client = Child.start(processors, tools.client(arguments)).await("warm")) {
            long before = child.cpuNanos();
            Map<String, Double> said = client.ask("go");
            double serverCpu = (child.cpuNanos() - before) / said.get("messages");
            return new Run(said.get("nanos"), said.get("cpu") + serverCpu, serverCpu, said);
        }
    }

    @Override
    public void close() {
        child.close();
    }
}
