// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;

/// Which devices a guard is for.
///
/// @param any one of them is enough
record GuardedDevices(List<Named> any) {
    private static final Pattern ID = Pattern.compile("([0-9a-f]{4}):([0-9a-f]{4}|\\*)");

    /// A device or several, as an entry names them.
    interface Named {
        boolean isMeant(PciId id, PciAddress address);
    }

    GuardedDevices {
        any = List.copyOf(any);
    }

    boolean include(PciId id, PciAddress address) {
        return any.stream().anyMatch(named -> named.isMeant(id, address));
    }

    /// Reads entries such as `8086:154c`, `8086:*`, `0000:3b:02.0`.
    ///
    /// @throws IllegalArgumentException naming key, value and what was expected
    static GuardedDevices parse(List<String> entries) {
        List<Named> all = new ArrayList<>();
        entries.stream().map(entry -> entry.trim().toLowerCase(Locale.ROOT)).filter(Predicate.not(String::isEmpty))
            .forEach(entry -> all.add(named(entry)));
        if (all.isEmpty()) {
            throw wrong("");
        }
        return new GuardedDevices(all);
    }

    private static Named named(String entry) {
        if (ID.matcher(entry).matches()) {
            String vendor = entry.substring(0, 5);
            return entry.endsWith("*") ? (id, address) -> id.vendorAndDevice().startsWith(vendor)
                : (id, address) -> id.vendorAndDevice().equals(entry);
        }
        try {
            PciAddress one = PciAddress.parse(entry);
            return (id, address) -> address.equals(one);
        } catch (IllegalArgumentException e) {
            throw wrong(entry);
        }
    }

    private static IllegalArgumentException wrong(String entry) {
        return new IllegalArgumentException(
            "key=devices value=\"%s\" expected=VVVV:DDDD, VVVV:* or DDDD:BB:DD.F, as in 8086:154c or 0000:3b:02.0".formatted(entry));
    }
}
