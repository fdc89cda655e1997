// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A folder for the sockets, with the C program compiled into it where there is a compiler. Goes when closed.
final class Tools implements AutoCloseable {
    private static final String SOURCE = "socketbench.c";

    private final Path folder;
    private final Path program;
    private final boolean compiled;

    Tools() throws IOException, InterruptedException {
        folder = Files.createTempDirectory("vfio-bench");
        program = folder.resolve("socketbench");
        Path source = folder.resolve(SOURCE);
        try (InputStream text = Tools.class.getResourceAsStream("/" + SOURCE)) {
            Files.copy(text, source);
        }
        compiled = compile(source);
    }

    private boolean compile(Path source) throws IOException, InterruptedException {
        try {
            int code = new ProcessBuilder("cc", "-O2", "-o", program.toString(), source.toString()).inheritIO().start().waitFor();
            if (code == 0) {
                return true;
            }
        } catch (IOException e) {
            // There is none: said below.
            System.err.println(e.getMessage());
        }
        System.err.println("no C compiler: the client and the echo are in Java, and there is no C echo to check that against");
        return false;
    }

    /// Whether there is the C program.
    boolean hasC() {
        return compiled;
    }

    String program() {
        return program.toString();
    }

    /// The command line of the client.
    List<String> client(List<String> arguments) {
        if (!compiled) {
            return java(List.of(), JavaClient.class, arguments);
        }
        List<String> command = new ArrayList<>(List.of(program(), "client"));
        command.addAll(arguments);
        return command;
    }

    Path socket(String name) {
        return folder.resolve(name + ".sock");
    }

    /// The command line of a class of this bench, in a JVM like this one.
    List<String> java(List<String> options, Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-Xms64m", "-Xmx64m",
            "-XX:MaxDirectMemorySize=1g", "-cp", System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(arguments);
        return command;
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.delete(folder);
    }
}
