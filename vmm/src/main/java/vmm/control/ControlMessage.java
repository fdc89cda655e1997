// SPDX-License-Identifier: Apache-2.0
package vmm.control;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.pci.api.admin.Whereabouts;
import vmm.channel.Link;

/// A message of the control socket. Getters throw EPROTO, naming the key, for what is missing or wrong.
///
/// @param verb what it is about
/// @param fields the rest, in order
public record ControlMessage(Verb verb, Map<String, String> fields) {
    /// Grows with what the other side must know of.
    public static final int VERSION = 1;
    /// Most bytes of a message.
    public static final int LONGEST = 8192;
    private static final int LONGEST_TEXT = 1024;

    /// Without fields so far.
    public static ControlMessage of(Verb verb) {
        return new ControlMessage(verb, new LinkedHashMap<>());
    }

    /// Adds a field; control characters become spaces, and what is too long is cut.
    public ControlMessage with(String key, Object value) {
        String text = String.valueOf(value).replaceAll("\\p{Cntrl}", " ");
        fields.put(key, text.substring(0, Math.min(text.length(), LONGEST_TEXT)));
        return this;
    }

    /// Sends it. By one thread at a time.
    public void send(Link link) throws VfioException {
        StringBuilder text = new StringBuilder(verb.name());
        fields.forEach((key, value) -> text.append('\n').append(key).append('=').append(value));
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer message = ByteBuffer.allocate(Integer.BYTES + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        message.putInt(bytes.length).put(bytes);
        link.write(message.array(), 0, message.position());
    }

    /// Receives the next one.
    ///
    /// @throws VfioException EPROTO for what is none; what the link says
    public static ControlMessage receive(Link link) throws VfioException {
        byte[] head = new byte[Integer.BYTES];
        link.read(head, 0, head.length);
        int length = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (length <= 0 || length > LONGEST) {
            throw new VfioException(Errno.EPROTO, "length=0x%x expected=1 to 0x%x".formatted(length, LONGEST));
        }
        byte[] bytes = new byte[length];
        link.read(bytes, 0, length);
        String[] lines = new String(bytes, StandardCharsets.UTF_8).split("\n", -1);
        Map<String, String> fields = new LinkedHashMap<>();
        for (int i = 1; i < lines.length; i++) {
            int equals = lines[i].indexOf('=');
            if (equals <= 0) {
                throw wrong("line", lines[i], "key=value");
            }
            fields.put(lines[i].substring(0, equals), lines[i].substring(equals + 1));
        }
        try {
            return new ControlMessage(Verb.valueOf(lines[0]), fields);
        } catch (IllegalArgumentException e) {
            throw wrong("verb", lines[0], "one of those known");
        }
    }

    private static VfioException wrong(String key, String value, String expected) {
        String shown = value.substring(0, Math.min(value.length(), 100)).replaceAll("[^\\x20-\\x7E]", "?");
        return new VfioException(Errno.EPROTO, "%s=%s expected=%s".formatted(key, shown, expected));
    }

    /// A field.
    public String text(String key) throws VfioException {
        String value = fields.get(key);
        if (value == null) {
            throw wrong(key, "", "something");
        }
        return value;
    }

    /// A field that is a number.
    public long number(String key) throws VfioException {
        try {
            return Long.parseLong(text(key));
        } catch (NumberFormatException e) {
            throw wrong(key, text(key), "a number");
        }
    }

    private Duration time(String key) throws VfioException {
        try {
            return Duration.ofNanos(number(key));
        } catch (DateTimeException e) {
            throw wrong(key, text(key), "nanoseconds");
        }
    }

    /// An order, with its number.
    public static ControlMessage migrate(long number, MigrationOrder order) {
        return of(Verb.MIGRATE).with("order", number).with("to", order.to()).with("dry-run", order.dryRun())
            .with("max-downtime", order.maxDowntime().toNanos());
    }

    /// What [#migrate] had.
    public MigrationOrder order() throws VfioException {
        try {
            return new MigrationOrder(text("to"), Boolean.parseBoolean(text("dry-run")), time("max-downtime"));
        } catch (IllegalArgumentException e) {
            throw wrong("max-downtime", text("max-downtime"), "more than 0");
        }
    }

    /// How far an order is.
    public static ControlMessage progress(long number, MigrationProgress progress) {
        return of(Verb.PROGRESS).with("order", number).with("step", progress.step()).with("round", progress.round())
            .with("pages", progress.pagesLeft()).with("rate", progress.bytesPerSecond())
            .with("downtime", progress.expectedDowntime().toNanos());
    }

    /// What [#progress(long, MigrationProgress)] had.
    public MigrationProgress progress() throws VfioException {
        return new MigrationProgress(text("step"), (int) number("round"), number("pages"), number("rate"), time("downtime"));
    }

    /// How an order ended.
    public static ControlMessage result(long number, MigrationOutcome outcome) {
        return of(Verb.RESULT).with("order", number).with("use", outcome.use()).with("done", outcome.done())
            .with("message", outcome.message()).with("rounds", outcome.rounds()).with("pages", outcome.pages())
            .with("bytes", outcome.bytes()).with("downtime", outcome.downtime().toNanos());
    }

    /// What [#result] had.
    public MigrationOutcome outcome() throws VfioException {
        try {
            return new MigrationOutcome(Whereabouts.valueOf(text("use")), Boolean.parseBoolean(text("done")), text("message"),
                (int) number("rounds"), number("pages"), number("bytes"), time("downtime"));
        } catch (IllegalArgumentException e) {
            throw wrong("use", text("use"), "a side");
        }
    }
}
