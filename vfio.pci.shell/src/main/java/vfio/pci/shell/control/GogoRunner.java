// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import vfio.pci.api.VfioException;

/// Runs commands in Gogo, each in a session of its own without input. A result is printed as the prompt would print it.
public final class GogoRunner implements CommandRunner {
    private final CommandProcessor gogo;

    /// Runs commands in this Gogo.
    public GogoRunner(CommandProcessor gogo) {
        this.gogo = gogo;
    }

    @Override
    public int run(String command, OutputStream out, OutputStream err) {
        var output = new PrintStream(out, true, StandardCharsets.UTF_8);
        var errors = new PrintStream(err, true, StandardCharsets.UTF_8);
        try (CommandSession session = gogo.createSession(InputStream.nullInputStream(), output, errors)) {
            Object result = session.execute(command);
            String text = result == null ? "" : session.format(result, Converter.INSPECT).toString().stripTrailing();
            if (!text.isEmpty()) {
                output.println(text);
            }
            return SUCCESS;
            // checkstyle: allow IllegalCatch: a command may throw anything, and it is its caller who is to be told
        } catch (Exception | StackOverflowError | LinkageError e) {
            errors.println("error: " + reason(e));
            return FAILURE;
        }
    }

    /// Why a command failed, in one line.
    static String reason(Throwable thrown) {
        Throwable cause = thrown;
        while ((cause instanceof ExecutionException || cause instanceof InvocationTargetException) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        String text = message == null || message.isBlank() ? cause.getClass().getSimpleName()
            : cause instanceof VfioException || cause instanceof Error ? cause.toString()
            : message;
        return text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }
}
