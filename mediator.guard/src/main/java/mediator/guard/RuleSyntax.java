// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import vfio.pci.api.Range;
import vfio.pci.api.device.RegionIndex;

/// Reads a rule: `ACTION DIRECTION REGION[:RANGE] [value=[!]V[-V]] [mask=M] [rate=N] [burst=N]`, or of DMA windows `ACTION DIRECTION
/// dma[:RANGE] [size=[!]V[-V]] [rate=N] [burst=N]`.
final class RuleSyntax {
    private static final Pattern PLACE = Pattern.compile("(bar[0-5]|rom|config|vga|dma)(?::([^-+]+)(?:([-+])([^-+]+))?)?");
    private static final Pattern VALUE = Pattern.compile("(!?)([^-!]+)(?:-([^-!]+))?");
    private static final Set<String> OPTIONS = Set.of("value", "mask", "size", "rate", "burst");
    private static final int REGISTER = 4;
    private static final long MOST = TimeUnit.SECONDS.toNanos(1);

    private final String name;
    private final String text;
    private final Map<String, String> options = new HashMap<>();

    private RuleSyntax(String name, String text) {
        this.name = name;
        this.text = text;
    }

    /// The rule of that name with this text.
    ///
    /// @throws IllegalArgumentException naming key, value and what was expected
    static Rule parse(String name, String text) {
        return new RuleSyntax(name, text).rule(text.trim().toLowerCase(Locale.ROOT).split("\\s+"));
    }

    private Rule rule(String[] words) {
        if (words.length < 3) {
            throw wrong("words", Integer.toString(words.length), "ACTION DIRECTION REGION:RANGE, as in deny write bar0:0x2030");
        }
        Action action = one(Action.values(), "action", words[0], "deny, limit, log or pass");
        if (words[1].equals("dma")) {
            throw wrong("direction", "dma", "read, write or access, then the place, as in deny write dma:0x1000-0x1fff");
        }
        Direction direction = one(Direction.values(), "direction", words[1], "read, write or access");
        for (String word : List.of(words).subList(3, words.length)) {
            addOption(word);
        }
        Matcher place = PLACE.matcher(words[2]);
        if (!place.matches()) {
            throw wrong("place", words[2], "bar0 to bar5, rom, config, vga or dma, then nothing, :FIRST, :FIRST-LAST or :FIRST+SIZE");
        }
        checkRate(action);
        long rate = count("rate", 0);
        Rule.Target target = place.group(1).equals("dma") ? windows(place, words[2]) : registers(direction, place, words[2]);
        return new Rule(name, text, action, direction, target, rate, count("burst", rate));
    }

    private void addOption(String word) {
        String[] parts = word.split("=", 2);
        if (parts.length != 2 || !OPTIONS.contains(parts[0]) || options.putIfAbsent(parts[0], parts[1]) != null) {
            throw wrong("option", word, "value=, mask=, size=, rate= or burst=, once each");
        }
    }

    private void checkRate(Action action) {
        boolean limited = options.containsKey("rate");
        if (limited != (action == Action.LIMIT) || options.containsKey("burst") && !limited) {
            throw wrong("rate", options.getOrDefault("rate", "none"), "with limit, and only there, a number from 1 to " + MOST);
        }
    }

    private Registers registers(Direction direction, Matcher place, String word) {
        Range range = range(place, word);
        if (options.containsKey("size")) {
            throw wrong("size", options.get("size"), "with dma only");
        }
        checkValue(direction, range);
        return new Registers(region(place.group(1)), range, values(range));
    }

    /// Addresses are unsigned, and go up to the last one.
    private Windows windows(Matcher place, String word) {
        if (options.containsKey("value") || options.containsKey("mask")) {
            throw wrong(options.containsKey("value") ? "value" : "mask", options.getOrDefault("value", options.get("mask")),
                "size= of a window; values are of registers");
        }
        Values sizes = options.containsKey("size") ? values("size", options.get("size"), -1L) : Values.ANY;
        if (place.group(2) == null) {
            return new Windows(0, -1L, sizes);
        }
        long first = number("place", place.group(2), word);
        long second = place.group(3) == null ? 1 : number("place", place.group(4), word);
        boolean toLast = "-".equals(place.group(3));
        long last = toLast ? second : first + second - 1;
        if (!toLast && second == 0 || Long.compareUnsigned(last, first) < 0) {
            throw wrong("place", word, "a range that is not empty, up to 0xffffffffffffffff");
        }
        return new Windows(first, last, sizes);
    }

    private void checkValue(Direction direction, Range range) {
        if (options.containsKey("mask") && !options.containsKey("value")) {
            throw wrong("mask", options.get("mask"), "together with value=");
        }
        if (options.containsKey("value")) {
            if (direction != Direction.WRITE) {
                throw wrong("value", options.get("value"), "with write only: what a read gives is not known before");
            }
            if (range.size() > Long.BYTES || Long.bitCount(range.size()) != 1) {
                throw wrong("value", options.get("value"), "a register of 1, 2, 4 or 8 bytes, not of 0x%x".formatted(range.size()));
            }
        }
    }

    private Range range(Matcher place, String word) {
        if (place.group(2) == null) {
            return new Range(0, Long.MAX_VALUE);
        }
        long first = number("place", place.group(2), word);
        long last;
        if (place.group(3) == null) {
            last = first + REGISTER - 1;
        } else {
            long second = number("place", place.group(4), word);
            last = place.group(3).equals("-") ? second : first + second - 1;
        }
        if (first < 0 || last < first || last == Long.MAX_VALUE) {
            throw wrong("place", word, "a range that is not empty, below 0x7fffffffffffffff");
        }
        return new Range(first, last - first + 1);
    }

    private Values values(Range range) {
        String value = options.get("value");
        if (value == null) {
            return Values.ANY;
        }
        long widest = -1L >>> Long.SIZE - Byte.SIZE * (int) range.size();
        long mask = options.containsKey("mask") ? number("mask", options.get("mask"), options.get("mask")) : widest;
        if ((mask & ~widest) != 0 || mask == 0) {
            throw wrong("mask", options.get("mask"), "0x1 to 0x%x".formatted(widest));
        }
        return values("value", value, mask);
    }

    private Values values(String option, String given, long mask) {
        Matcher matcher = VALUE.matcher(given);
        if (!matcher.matches()) {
            throw wrong(option, given, "V, FIRST-LAST, or either after ! for all others");
        }
        long first = number(option, matcher.group(2), given);
        long last = matcher.group(3) == null ? first : number(option, matcher.group(3), given);
        if (Long.compareUnsigned(first, last) > 0 || Long.compareUnsigned(last, mask) > 0) {
            throw wrong(option, given, "at most 0x%x, and the greater one last".formatted(mask));
        }
        return new Values(mask, first, last, matcher.group(1).isEmpty());
    }

    private long count(String option, long otherwise) {
        String given = options.get(option);
        if (given == null) {
            return otherwise;
        }
        long count = number(option, given, given);
        if (count < 1 || count > MOST) {
            throw wrong(option, given, "1 to " + MOST);
        }
        return count;
    }

    private static int region(String word) {
        return switch (word) {
            case "rom" -> RegionIndex.ROM;
            case "config" -> RegionIndex.CONFIG;
            case "vga" -> RegionIndex.VGA;
            default -> word.charAt(word.length() - 1) - '0';
        };
    }

    private <E extends Enum<E>> E one(E[] all, String what, String word, String expected) {
        for (E each : all) {
            if (each.name().toLowerCase(Locale.ROOT).equals(word)) {
                return each;
            }
        }
        throw wrong(what, word, expected);
    }

    private long number(String what, String digits, String word) {
        try {
            return digits.startsWith("0x") ? Long.parseUnsignedLong(digits.substring(2), 16) : Long.parseUnsignedLong(digits);
        } catch (NumberFormatException e) {
            throw wrong(what, word, "numbers, decimal or hexadecimal after 0x");
        }
    }

    private IllegalArgumentException wrong(String what, String value, String expected) {
        return new IllegalArgumentException("key=rule.%s value=\"%s\" %s=%s expected=%s".formatted(name, text, what, value, expected));
    }
}
