// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * What the runtime logs as an error of its own while this is open, which no client can bring about. Lines about the clients' faults are not
 * printed meanwhile.
 */
public final class Defects extends Handler implements AutoCloseable {
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private final Logger root = Logger.getLogger("");
    /** Held on to: the logging would forget their levels. */
    private final Logger[] quiet = {Logger.getLogger("vfio"), Logger.getLogger("mediator"), Logger.getLogger("device")};

    public Defects() {
        setFormatter(new SimpleFormatter());
        setLevel(Level.SEVERE);
        root.addHandler(this);
        for (Logger logger : quiet) {
            logger.setLevel(Level.SEVERE);
        }
    }

    @Override
    public void publish(LogRecord logged) {
        if (isLoggable(logged)) {
            lines.add(getFormatter().formatMessage(logged) + (logged.getThrown() == null ? "" : " " + logged.getThrown()));
        }
    }

    /** Fails if there is one. */
    public void requireNone() {
        if (!lines.isEmpty()) {
            throw new AssertionError("the runtime logs: " + lines);
        }
    }

    @Override
    public void flush() {
        // nothing is held back
    }

    @Override
    public void close() {
        root.removeHandler(this);
        for (Logger logger : quiet) {
            logger.setLevel(null);
        }
    }
}
