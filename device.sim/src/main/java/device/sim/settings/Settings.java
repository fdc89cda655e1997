// SPDX-License-Identifier: Apache-2.0
package device.sim.settings;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import vfio.pci.api.PciAddress;

/// The properties of a configuration, which a file gives as text.
///
/// @param values as the component got them
public record Settings(Map<String, Object> values) {
    private static final Pattern ID = Pattern.compile("8086:([0-9a-fA-F]{4})");

    /// Copies the map.
    public Settings {
        values = Map.copyOf(values);
    }

    /// A PCI address.
    ///
    /// @throws SettingsException when it is none
    public PciAddress address(String key, String otherwise) {
        String text = text(key, otherwise);
        try {
            return PciAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw new SettingsException("%s=%s expected=DDDD:BB:DD.F, as in %s".formatted(key, text, otherwise));
        }
    }

    /// A device id of Intel's, written with the vendor.
    ///
    /// @throws SettingsException when it is none
    public int intelDevice(String key, String otherwise) {
        String text = text(key, otherwise);
        Matcher matcher = ID.matcher(text);
        if (!matcher.matches()) {
            throw new SettingsException("%s=%s expected=8086:DDDD, as in %s".formatted(key, text, otherwise));
        }
        return Integer.parseInt(matcher.group(1), 16);
    }

    /// A decimal number.
    ///
    /// @throws SettingsException when it is none or not in the range
    public int number(String key, int otherwise, int least, int most) {
        String text = text(key, Integer.toString(otherwise));
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // The line below says it.
        }
        throw new SettingsException("%s=%s expected=a number from %d to %d".formatted(key, text, least, most));
    }

    /// One of several words.
    ///
    /// @throws SettingsException when it is none of them
    public String choice(String key, String otherwise, List<String> choices) {
        String text = text(key, otherwise);
        if (!choices.contains(text)) {
            throw new SettingsException("%s=%s expected=one of %s".formatted(key, text, choices));
        }
        return text;
    }

    /// The hardware address of one station, its first byte the number's highest of six.
    ///
    /// @throws SettingsException when it is none
    public long hardwareAddress(String key, long otherwise) {
        Object value = values.get(key);
        if (value == null) {
            return otherwise;
        }
        try {
            return HardwareAddress.parse(value.toString().trim());
        } catch (IllegalArgumentException e) {
            throw new SettingsException(key + ": " + e.getMessage());
        }
    }

    /// The keys that begin with this one and a dot, in order; the caller's to change.
    public Set<String> keysUnder(String key) {
        Set<String> keys = new TreeSet<>(values.keySet());
        keys.removeIf(each -> !each.startsWith(key + '.'));
        return keys;
    }

    /// The text itself, without blanks around it.
    public String text(String key, String otherwise) {
        return Optional.ofNullable(values.get(key)).map(value -> value.toString().trim()).orElse(otherwise);
    }
}
