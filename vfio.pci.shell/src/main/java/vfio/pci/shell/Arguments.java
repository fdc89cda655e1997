// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import vfio.pci.api.PciAddress;

/// What was typed after a command's name. Each getter answers the argument of that name, or throws an [IllegalArgumentException] whose
/// message names the argument, its value and what was expected.
final class Arguments {
    /// In the place of an address: all devices.
    static final String ALL = "--all";

    private final Command command;
    private final List<String> values;
    private final Map<String, String> options;
    private final boolean help;
    private final boolean json;

    private Arguments(Command command, List<String> values, Map<String, String> options, boolean help, boolean json) {
        this.command = command;
        this.values = List.copyOf(values);
        this.options = Map.copyOf(options);
        this.help = help;
        this.json = json;
    }

    /// Parses options, which may stand anywhere, and counts the rest.
    ///
    /// @throws IllegalArgumentException for an unknown option, and unless help is asked for, too few or too many arguments
    static Arguments of(Command command, String... typed) {
        var values = new ArrayList<String>();
        boolean help = false;
        boolean json = false;
        var options = new HashMap<String, String>();
        for (int i = 0; i < typed.length; i++) {
            String argument = String.valueOf(typed[i]);
            switch (argument) {
                case "-h", "--help" -> help = true;
                case "-j", "--json" -> json = true;
                default -> {
                    if (command.hasFlag(argument)) {
                        options.put(argument, "");
                        continue;
                    }
                    if (command.hasOption(argument)) {
                        if (++i == typed.length) {
                            throw new IllegalArgumentException("option=%s expected=a value; usage: %s".formatted(argument,
                                command.usage()));
                        }
                        options.put(argument, String.valueOf(typed[i]));
                        continue;
                    }
                    boolean all = command == Command.SWAP && argument.equals(ALL);
                    if (!all && argument.length() > 1 && argument.charAt(0) == '-' && !Character.isDigit(argument.charAt(1))) {
                        throw new IllegalArgumentException("option=%s expected=%s; usage: %s".formatted(argument, command.allOptions(),
                            command.usage()));
                    }
                    values.add(argument);
                }
            }
        }
        if (!help && (values.size() < command.required() || values.size() > command.parameters().size() && !command.repeats())) {
            String expected = command.parameters().isEmpty() ? "none" : String.join(" ", command.parameters());
            throw new IllegalArgumentException("arguments=%d expected=%s; usage: %s".formatted(values.size(), expected, command.usage()));
        }
        return new Arguments(command, values, options, help, json);
    }

    /// Prints the command's help when that was asked for, and says so.
    boolean answeredHelp(PrintStream out) {
        if (help) {
            command.printHelp(out);
        }
        return help;
    }

    /// Whether the answer is to be JSON.
    boolean json() {
        return json;
    }

    /// Whether an option was given.
    boolean given(String option) {
        return options.containsKey(option);
    }

    /// The value of an option that was given.
    Optional<String> option(String option) {
        return Optional.ofNullable(options.get(option));
    }

    /// The value of an option that is a number above 0, or else that one.
    long positive(String option, long otherwise) {
        String text = options.get(option);
        String name = option.substring(2);
        long value = text == null ? otherwise : unsigned(name, text, Integer.MAX_VALUE, "1 to 0x7fffffff");
        if (value == 0) {
            throw wrong(name, text, "1 to 0x7fffffff");
        }
        return value;
    }

    /// How many arguments there are beside options.
    int count() {
        return values.size();
    }

    String text(int index) {
        return values.get(index);
    }

    /// The arguments from there on.
    List<String> texts(int first) {
        return values.subList(first, values.size());
    }

    /// ADDRESS, always the first.
    ///
    /// @param known the addresses there are, for the message
    PciAddress address(List<PciAddress> known) {
        return Services.address(values.getFirst(), known);
    }

    /// SOCKET, the second argument of `serve`. Absolute, because the runtime's folder is not the caller's.
    Path socket() {
        String text = values.get(1);
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                return path.normalize();
            }
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("socket=%s expected=a path (%s)".formatted(text, e.getReason()));
        }
        throw new IllegalArgumentException("socket=%s expected=an absolute path".formatted(text));
    }

    /// REGION, the second argument of an access.
    int region() {
        String text = values.get(1);
        return RegionName.index(text).orElseGet(() -> {
            if (text.isEmpty() || !Character.isDigit(text.charAt(0))) {
                throw wrong("region", text, "a number, or one of " + RegionName.all());
            }
            return (int) unsigned("region", text, Integer.MAX_VALUE, "a number, or one of " + RegionName.all());
        });
    }

    /// OFFSET, the third argument of an access.
    long offset() {
        return unsigned("offset", values.get(2), Long.MAX_VALUE, "0 to 0x7fffffffffffffff");
    }

    /// WIDTH, the fourth argument of an access: 1, 2, 4 or 8 bytes.
    int width() {
        String expected = "1, 2, 4 or 8";
        long width = unsigned("width", values.get(3), 8, expected);
        if (Long.bitCount(width) != 1) {
            throw wrong("width", values.get(3), expected);
        }
        return (int) width;
    }

    /// VALUE, the fifth argument of an access: what fits into the width, unsigned.
    long value() {
        long max = -1L >>> 64 - 8 * width();
        return unsigned("value", values.get(4), max, "0 to 0x%x".formatted(max));
    }

    /// @param max the largest value allowed, unsigned
    private static long unsigned(String name, String text, long max, String expected) {
        boolean hex = text.startsWith("0x") || text.startsWith("0X");
        String digits = hex ? text.substring(2) : text;
        try {
            if (!digits.startsWith("+") && !digits.startsWith("-")) {
                long value = Long.parseUnsignedLong(digits, hex ? 16 : 10);
                if (Long.compareUnsigned(value, max) <= 0) {
                    return value;
                }
            }
        } catch (NumberFormatException e) {
            throw wrong(name, text, expected);
        }
        throw wrong(name, text, expected);
    }

    private static IllegalArgumentException wrong(String name, String text, String expected) {
        return new IllegalArgumentException("%s=%s expected=%s".formatted(name, text, expected));
    }
}
