// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where a function sits: domain, bus, device, function, written `0000:3b:02.0`.
///
/// @param domain 0 to 0xFFFF
/// @param bus 0 to 0xFF
/// @param device 0 to 0x1F
/// @param function 0 to 7
public record PciAddress(int domain, int bus, int device, int function) implements Comparable<PciAddress> {
    private static final Pattern TEXT = Pattern.compile("(?:([0-9a-fA-F]{4}):)?([0-9a-fA-F]{2}):([01][0-9a-fA-F])\\.([0-7])");

    /// Checks the ranges above.
    public PciAddress {
        if (domain < 0 || domain > 0xFFFF || bus < 0 || bus > 0xFF || device < 0 || device > 0x1F || function < 0 || function > 7) {
            throw new IllegalArgumentException(
                "address=%x:%x:%x.%x expected=0000:00:00.0 to ffff:ff:1f.7".formatted(domain, bus, device, function));
        }
    }

    /// Reads `DDDD:BB:DD.F`, or `BB:DD.F` with domain 0.
    ///
    /// @throws IllegalArgumentException when the text is anything else
    public static PciAddress parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("address=" + text + " expected=DDDD:BB:DD.F, as in 0000:3b:02.0");
        }
        int domain = matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1), 16);
        return new PciAddress(domain, Integer.parseInt(matcher.group(2), 16), Integer.parseInt(matcher.group(3), 16),
            Integer.parseInt(matcher.group(4)));
    }

    /// The function with this routing id (bus << 8 | device << 3 | function) in this domain.
    public static PciAddress ofRoutingId(int domain, int routingId) {
        return new PciAddress(domain, routingId >>> 8, routingId >>> 3 & 0x1F, routingId & 7);
    }

    /// Bus << 8 | device << 3 | function: what SR-IOV's offset and stride count in, carrying into the bus.
    public int routingId() {
        return bus << 8 | device << 3 | function;
    }

    @Override
    public int compareTo(PciAddress other) {
        int byDomain = Integer.compare(domain, other.domain);
        return byDomain != 0 ? byDomain : Integer.compare(routingId(), other.routingId());
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%04x:%02x:%02x.%x", domain, bus, device, function);
    }
}
