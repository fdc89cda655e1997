// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.probe;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.PciId;

/// What the configuration space says, PCI Local Bus 3.0 section 6.1 and PCI Express 5.0 section 7.6.
///
/// @param id who made it and what it is
/// @param command register
/// @param status register
/// @param headerType register
/// @param bars the six base address registers as they are; those of a bridge mean something else
/// @param capabilities as `0x40 msix vectors=5`, in the order of the list
/// @param extended likewise
record ConfigSummary(PciId id, int command, int status, int headerType, List<Integer> bars, List<String> capabilities,
        List<String> extended) {
    /// Bytes every function has.
    static final int CONVENTIONAL = 256;
    /// Bytes of a PCI Express function.
    static final int EXTENDED = 4096;

    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int STATUS_CAPABILITIES = 0x10;
    private static final int BARS = 0x10;
    private static final int CAPABILITIES = 0x34;
    private static final int FIRST_CAPABILITY = 0x40;
    private static final int MSI = 5;
    private static final int MSIX = 0x11;
    /// By id, PCI Code and ID Assignment 1.11.
    private static final List<String> NAMES = List.of("null", "pm", "agp", "vpd", "slot-id", "msi", "hotswap", "pci-x", "hypertransport",
        "vendor", "debug", "cpci", "hotplug", "bridge-subsystem", "agp8x", "secure", "pcie", "msix", "sata", "af", "ea", "fpb");

    static ConfigSummary of(MemorySegment space) {
        PciId id = new PciId(u16(space, 0), u16(space, 2), (int) (u32(space, 8) >>> 8), u8(space, 8), u16(space, 0x2C), u16(space, 0x2E));
        List<Integer> bars = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            bars.add((int) u32(space, BARS + 4 * i));
        }
        return new ConfigSummary(id, u16(space, 4), u16(space, 6), u8(space, 0xE), bars, capabilities(space), extended(space));
    }

    private static List<String> capabilities(MemorySegment space) {
        List<String> found = new ArrayList<>();
        if ((u16(space, 6) & STATUS_CAPABILITIES) == 0) {
            return found;
        }
        int at = u8(space, CAPABILITIES) & ~3;
        // A list that goes in circles ends where there could be no more.
        for (int n = 0; at >= FIRST_CAPABILITY && n < (CONVENTIONAL - FIRST_CAPABILITY) / 4; n++) {
            int kind = u8(space, at);
            String name = kind < NAMES.size() ? NAMES.get(kind) : "id=0x%02x".formatted(kind);
            found.add("0x%02x %s%s".formatted(at, name, detail(space, kind, at)));
            at = u8(space, at + 1) & ~3;
        }
        return found;
    }

    private static String detail(MemorySegment space, int kind, int at) {
        if (kind == MSIX && at + 12 <= CONVENTIONAL) {
            long table = u32(space, at + 4);
            long pending = u32(space, at + 8);
            return " vectors=%d table=bar%d+0x%x pba=bar%d+0x%x".formatted((u16(space, at + 2) & 0x7FF) + 1, table & 7, table & ~7,
                pending & 7, pending & ~7);
        }
        return kind == MSI ? " vectors=%d".formatted(1 << (u16(space, at + 2) >>> 1 & 7)) : "";
    }

    private static List<String> extended(MemorySegment space) {
        List<String> found = new ArrayList<>();
        int at = CONVENTIONAL;
        for (int n = 0; at >= CONVENTIONAL && n < (EXTENDED - CONVENTIONAL) / 4; n++) {
            long header = u32(space, at);
            if (header == 0 || header == 0xFFFF_FFFFL) {
                break;
            }
            found.add("0x%03x %s v%d".formatted(at, extendedName((int) header & 0xFFFF), header >>> 16 & 0xF));
            at = (int) (header >>> 20) & ~3;
        }
        return found;
    }

    private static String extendedName(int id) {
        return switch (id) {
            case 0x01 -> "aer";
            case 0x03 -> "serial-number";
            case 0x0B -> "vendor";
            case 0x0D -> "acs";
            case 0x0E -> "ari";
            case 0x0F -> "ats";
            case 0x10 -> "sriov";
            case 0x17 -> "tph";
            case 0x18 -> "ltr";
            case 0x1B -> "pasid";
            default -> "id=0x%04x".formatted(id);
        };
    }

    private static int u8(MemorySegment space, int offset) {
        return Byte.toUnsignedInt(space.get(ValueLayout.JAVA_BYTE, offset));
    }

    private static int u16(MemorySegment space, int offset) {
        return Short.toUnsignedInt(space.get(U16, offset));
    }

    private static long u32(MemorySegment space, int offset) {
        return Integer.toUnsignedLong(space.get(U32, offset));
    }
}
