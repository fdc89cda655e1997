// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What one configuration says.
///
/// @param name shown to people
/// @param ranking `service.ranking` of the mediator
/// @param rules in the order they are asked, that of their names
record GuardConfig(String name, int ranking, GuardedDevices devices, List<Rule> rules) {
    private static final String RULE = "rule.";
    private static final String RANKING = "service.ranking";
    private static final int MOST_RULES = 64;

    GuardConfig {
        rules = List.copyOf(rules);
    }

    /// Reads it; a key that nobody knows is refused, for it may be a rule with a typing error.
    ///
    /// @param properties as Configuration Admin or a file gives them
    /// @throws IllegalArgumentException naming key, value and what was expected
    static GuardConfig of(Map<String, Object> properties) {
        List<Rule> rules = new ArrayList<>();
        new TreeMap<>(properties).forEach((key, value) -> {
            if (key.startsWith(RULE)) {
                rules.add(RuleSyntax.parse(key.substring(RULE.length()), value.toString()));
            } else if (!key.equals("devices") && !isOthers(key)) {
                throw new IllegalArgumentException("key=%s value=\"%s\" expected=devices, %s or %sNAME"
                    .formatted(key, value, RANKING, RULE));
            }
        });
        if (rules.isEmpty() || rules.size() > MOST_RULES) {
            throw new IllegalArgumentException("key=%sNAME value=%d of them expected=1 to %d".formatted(RULE, rules.size(), MOST_RULES));
        }
        return new GuardConfig(name(properties), ranking(properties), GuardedDevices.parse(texts(properties.get("devices"))), rules);
    }

    /// Keys of the services in between: `service.pid`, `component.id`, `felix.fileinstall.filename`, `osgi.ds.satisfying.condition.target`.
    private static boolean isOthers(String key) {
        return key.startsWith("service.") || key.startsWith("component.") || key.startsWith("felix.") || key.startsWith("osgi.");
    }

    private static String name(Map<String, Object> properties) {
        String pid = String.valueOf(properties.get("service.pid"));
        return pid.indexOf('~') < 0 ? "guard" : "guard-" + pid.substring(pid.indexOf('~') + 1);
    }

    /// From a file it is a text.
    private static int ranking(Map<String, Object> properties) {
        String given = properties.getOrDefault(RANKING, "0").toString().trim();
        try {
            return Integer.parseInt(given);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("key=%s value=\"%s\" expected=a number, decimal".formatted(RANKING, given));
        }
    }

    private static List<String> texts(Object configured) {
        return switch (configured) {
            case null -> List.of();
            case Object[] array -> Arrays.stream(array).map(Object::toString).toList();
            case Collection<?> collection -> collection.stream().map(Object::toString).toList();
            default -> List.of(configured.toString().split(","));
        };
    }
}
