// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A JSON object (RFC 8259) in the order its members were put. Written by hand: the shell writes a dozen flat objects and reads none, and
/// a library would be one more bundle in every runtime.
final class Json {
    private final Map<String, Object> members = new LinkedHashMap<>();

    /// Adds a member.
    ///
    /// @param value a Number, Boolean, [Json], List of these, Optional (null when empty), or what is written as its `toString`
    Json put(String name, Object value) {
        members.put(name, value);
        return this;
    }

    /// One line for a list, as for a member.
    static String list(List<?> values) {
        var out = new StringBuilder();
        append(out, values);
        return out.toString();
    }

    /// One line.
    @Override
    public String toString() {
        var out = new StringBuilder();
        append(out, this);
        return out.toString();
    }

    private static void append(StringBuilder out, Object value) {
        switch (value) {
            case Json object -> {
                String separator = "{";
                for (Map.Entry<String, Object> member : object.members.entrySet()) {
                    out.append(separator);
                    appendText(out, member.getKey());
                    out.append(':');
                    append(out, member.getValue());
                    separator = ",";
                }
                out.append(object.members.isEmpty() ? "{}" : "}");
            }
            case List<?> list -> {
                String separator = "[";
                for (Object element : list) {
                    out.append(separator);
                    append(out, element);
                    separator = ",";
                }
                out.append(list.isEmpty() ? "[]" : "]");
            }
            case Optional<?> optional when optional.isPresent() -> append(out, optional.get());
            case Optional<?> _ -> out.append("null");
            case Number number -> out.append(number);
            case Boolean truth -> out.append(truth);
            default -> appendText(out, value.toString());
        }
    }

    private static void appendText(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                default -> {
                    // Control characters must be escaped; a lone surrogate would not survive the encoding to UTF-8.
                    if (c < 0x20 || c == 0x7F || Character.isSurrogate(c)) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
