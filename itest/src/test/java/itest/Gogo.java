// SPDX-License-Identifier: Apache-2.0
package itest;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;

/** Runs shell commands as a person at the prompt would, and hands back what they print, without what is logged meanwhile. */
final class Gogo {
    private final CommandProcessor processor;

    Gogo(CommandProcessor processor) {
        this.processor = processor;
    }

    /** Runs one command line; what it throws, the command has thrown. */
    String run(String line) throws Exception {
        var printed = new ByteArrayOutputStream();
        try (var out = new PrintStream(printed, true, StandardCharsets.UTF_8);
                var err = new PrintStream(OutputStream.nullOutputStream());
                CommandSession session = processor.createSession(InputStream.nullInputStream(), out, err)) {
            session.execute(line);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
