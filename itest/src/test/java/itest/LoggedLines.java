// SPDX-License-Identifier: Apache-2.0
package itest;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** What the runtime logs while this is open. */
final class LoggedLines extends Handler implements AutoCloseable {
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final Logger root = Logger.getLogger("");

    /** At WARNING and above. */
    LoggedLines() {
        this(Level.WARNING);
    }

    /** At that level and above, as far as loggers let it through. */
    LoggedLines(Level level) {
        setFormatter(new SimpleFormatter());
        setLevel(level);
        root.addHandler(this);
    }

    @Override
    public void publish(LogRecord logged) {
        if (isLoggable(logged)) {
            lines.add(getFormatter().formatMessage(logged));
        }
    }

    /** The lines that contain this. */
    List<String> with(String part) {
        return lines.stream().filter(line -> line.contains(part)).toList();
    }

    @Override
    public void flush() {
        // nothing is held back
    }

    @Override
    public void close() {
        root.removeHandler(this);
    }
}
