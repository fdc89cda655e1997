// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A clause of a manifest header (OSGi Core 8, 3.2.4): a path and attributes. Types of attributes are dropped with their directives; each
/// value is the list that its commas make of it.
///
/// @param path before the first semicolon
/// @param attributes in the order they stand
public record HeaderClause(String path, Map<String, List<String>> attributes) {
    /// The clauses of a header.
    ///
    /// @throws IllegalArgumentException when a quote does not end
    public static List<HeaderClause> parse(String header) {
        List<HeaderClause> clauses = new ArrayList<>();
        for (String clause : split(header, ',')) {
            List<String> parts = split(clause, ';');
            Map<String, List<String>> attributes = new LinkedHashMap<>();
            for (String part : parts.subList(1, parts.size())) {
                int equals = part.indexOf('=');
                if (equals > 0 && part.charAt(equals - 1) != ':') {
                    String name = part.substring(0, equals).strip();
                    int type = name.indexOf(':');
                    attributes.put(type < 0 ? name : name.substring(0, type), values(part.substring(equals + 1).strip()));
                }
            }
            clauses.add(new HeaderClause(parts.getFirst(), attributes));
        }
        return clauses;
    }

    /// Values of a list, which is written with commas.
    public static List<String> list(String value) {
        return split(value, ',').stream().filter(each -> !each.isEmpty()).toList();
    }

    private static List<String> values(String text) {
        boolean quoted = text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"");
        return list(quoted ? text.substring(1, text.length() - 1) : text);
    }

    /// Splits where no quote is open; a backslash keeps the next character from being one.
    private static List<String> split(String text, char separator) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length()) {
                part.append(c).append(text.charAt(++i));
            } else if (c == separator && !quoted) {
                parts.add(part.toString().strip());
                part.setLength(0);
            } else {
                quoted ^= c == '"';
                part.append(c);
            }
        }
        if (quoted) {
            throw new IllegalArgumentException("header=%s expected=quotes that end".formatted(text));
        }
        parts.add(part.toString().strip());
        return parts;
    }
}
