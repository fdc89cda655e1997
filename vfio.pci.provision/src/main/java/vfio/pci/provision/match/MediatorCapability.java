// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.match;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import vfio.pci.api.PciId;

/// What a bundle says of itself in `Provide-Capability: vfio.mediator`: the functions its mediator is for. Each attribute is a list, of
/// which one has to fit: `vendor` and `device` hexadecimal numbers of four digits, `class` the first two, four or six digits of the class
/// code, and each of them `*` for any. An attribute that is missing is `*`.
///
/// @param vendors of which one fits
/// @param devices of which one fits
/// @param classes of which one fits
public record MediatorCapability(List<String> vendors, List<String> devices, List<String> classes) {
    /// Of the capability.
    public static final String NAMESPACE = "vfio.mediator";

    private static final String ANY = "*";
    private static final Pattern ID = Pattern.compile("\\*|\\p{XDigit}{4}");
    private static final Pattern CLASS = Pattern.compile("\\*|\\p{XDigit}{2}|\\p{XDigit}{4}|\\p{XDigit}{6}");

    /// Checks the syntax above.
    ///
    /// @throws IllegalArgumentException for another one
    public MediatorCapability {
        vendors = checked("vendor", vendors, ID, "four hexadecimal digits or *");
        devices = checked("device", devices, ID, "four hexadecimal digits or *");
        classes = checked("class", classes, CLASS, "two, four or six hexadecimal digits or *");
    }

    private static List<String> checked(String name, List<String> values, Pattern syntax, String expected) {
        if (values.isEmpty()) {
            return List.of(ANY);
        }
        for (String value : values) {
            if (!syntax.matcher(value).matches()) {
                throw new IllegalArgumentException("%s: %s=%s expected=%s".formatted(NAMESPACE, name, value, expected));
            }
        }
        return values.stream().map(value -> value.toLowerCase(Locale.ROOT)).toList();
    }

    /// From the capability's attributes; others than the three are ignored.
    ///
    /// @throws IllegalArgumentException when one is not as above
    public static MediatorCapability of(Map<String, List<String>> attributes) {
        return new MediatorCapability(attributes.getOrDefault("vendor", List.of()), attributes.getOrDefault("device", List.of()),
            attributes.getOrDefault("class", List.of()));
    }

    /// How many of vendor, device and class it leaves open, if it fits.
    public OptionalInt wildcards(PciId id) {
        int vendor = wildcards(vendors, String.format("%04x", id.vendor()));
        int device = wildcards(devices, String.format("%04x", id.device()));
        int code = wildcards(classes, String.format("%06x", id.classCode()));
        return vendor < 0 || device < 0 || code < 0 ? OptionalInt.empty() : OptionalInt.of(vendor + device + code);
    }

    /// 0 when one names it, 1 when only `*` does, negative when none.
    private static int wildcards(List<String> patterns, String digits) {
        if (patterns.stream().anyMatch(digits::startsWith)) {
            return 0;
        }
        return patterns.contains(ANY) ? 1 : -1;
    }

    /// As in a manifest, without the types.
    @Override
    public String toString() {
        return "vendor=%s device=%s class=%s".formatted(String.join(",", vendors), String.join(",", devices), String.join(",", classes));
    }
}
