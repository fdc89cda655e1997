// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;

/// How functions are shown: in a list, alone, and as JSON.
final class DeviceReport {
    private static final List<String> IRQ_NAMES = List.of("intx", "msi", "msix", "err", "req");

    private DeviceReport() {
    }

    static Table table(List<DeviceStatus> all, List<ServedStatus> served) {
        var table = new Table("ADDRESS", "ID", "CLASS", "PF", "DRIVER", "MEDIATOR", "CLIENTS", "SOCKET", "NOTE");
        for (DeviceStatus status : all) {
            table.row(status.address(), status.id().vendorAndDevice(), classCode(status.id()), orNone(status.physicalFunction()),
                orNone(status.driver()), orNone(status.mediator()), String.join(", ", status.clients()),
                orNone(servedOf(status, served).map(ServedStatus::socket)), note(status));
        }
        return table;
    }

    static void print(DeviceStatus status, List<ServedStatus> served, PrintStream out) {
        PciId id = status.id();
        var table = new Table("PROPERTY", "VALUE")
            .row("address", status.address())
            .row("id", id.vendorAndDevice())
            .row("subsystem", subsystem(id))
            .row("class", classCode(id))
            .row("revision", revision(id))
            .row("physical function", orNone(status.physicalFunction()))
            .row("driver", orNone(status.driver()))
            .row("mediator", orNone(status.mediator()))
            .row("clients", String.join(", ", status.clients()))
            .row("trapping", status.trapping() ? "yes" : "no")
            .row("isolated", orNone(status.isolated()));
        servedOf(status, served).ifPresent(serving -> table
            .row("socket", serving.socket())
            .row("connected", orNone(serving.client()))
            .row("requests", serving.requests())
            .row("refused requests", serving.errors()));
        table.print(out);
        if (!status.regions().isEmpty()) {
            out.println();
            regions(status).print(out);
        }
        if (!status.irqs().isEmpty()) {
            out.println();
            irqs(status).print(out);
        }
    }

    static Json json(DeviceStatus status, List<ServedStatus> served) {
        PciId id = status.id();
        return new Json()
            .put("address", status.address())
            .put("id", id.vendorAndDevice())
            .put("subsystem", subsystem(id))
            .put("class", classCode(id))
            .put("revision", revision(id))
            .put("physicalFunction", status.physicalFunction())
            .put("driver", status.driver())
            .put("mediator", status.mediator())
            .put("layers", StackReport.layers(status))
            .put("clients", status.clients())
            .put("trapping", status.trapping())
            .put("isolated", status.isolated())
            .put("served", servedOf(status, served).map(ServeReport::json))
            .put("regions", status.regions().stream().map(DeviceReport::json).toList())
            .put("irqs", status.irqs().stream().map(DeviceReport::json).toList());
    }

    private static Table regions(DeviceStatus status) {
        var table = new Table("REGION", "SIZE", "ACCESS", "TYPE", "MAPPABLE");
        for (RegionInfo region : status.regions()) {
            table.row(RegionName.of(region.index()), hex(region.size()), access(region.flags()), orNone(type(region)), mappable(region));
        }
        return table;
    }

    private static Json json(RegionInfo region) {
        List<Json> areas = areas(region).stream().map(area -> new Json()
            .put("offset", hex(area.offset())).put("size", hex(area.size())).put("disablable", area.disablable())).toList();
        return new Json().put("index", region.index()).put("name", RegionName.of(region.index())).put("size", hex(region.size()))
            .put("access", access(region.flags())).put("type", type(region)).put("mappable", areas);
    }

    private static Table irqs(DeviceStatus status) {
        var table = new Table("IRQ", "VECTORS", "FLAGS", "TYPE");
        for (IrqInfo irq : status.irqs()) {
            table.row(irqName(irq), irq.count(), String.join(" ", flags(irq)), orNone(irq.type().map(t -> t.type() + "/" + t.subtype())));
        }
        return table;
    }

    private static Json json(IrqInfo irq) {
        return new Json().put("index", irq.index()).put("name", irqName(irq)).put("vectors", irq.count()).put("flags", flags(irq))
            .put("type", irq.type().map(t -> t.type() + "/" + t.subtype()));
    }

    private static String irqName(IrqInfo irq) {
        return irq.index() < IrqIndex.FIRST_SPECIFIC ? IRQ_NAMES.get(irq.index()) : Integer.toString(irq.index());
    }

    private static List<String> flags(IrqInfo irq) {
        return irq.flags().stream().sorted().map(flag -> flag.name().toLowerCase(Locale.ROOT)).toList();
    }

    private static String access(Set<RegionInfo.Flag> flags) {
        return (flags.contains(RegionInfo.Flag.READ) ? "r" : "-") + (flags.contains(RegionInfo.Flag.WRITE) ? "w" : "-")
            + (flags.contains(RegionInfo.Flag.MMAP) ? "m" : "-");
    }

    private static Optional<String> type(RegionInfo region) {
        return region.capabilities().stream().filter(RegionCapability.Type.class::isInstance).map(RegionCapability.Type.class::cast)
            .map(type -> type.equals(RegionCapability.Type.MIGRATION) ? "migration"
                : type.equals(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO) ? "dynamic-trap-bar-info"
                : type.type() + "/" + type.subtype())
            .findFirst();
    }

    /// The areas a client may map; the whole region when it can be mapped and says nothing closer.
    private static List<MmapArea> areas(RegionInfo region) {
        if (!region.flags().contains(RegionInfo.Flag.MMAP)) {
            return List.of();
        }
        return region.sparseMmap().map(RegionCapability.SparseMmap::areas)
            .orElseGet(() -> List.of(new MmapArea(0, region.size(), false)));
    }

    private static String mappable(RegionInfo region) {
        return String.join(" ", areas(region).stream()
            .map(area -> hex(area.offset()) + "-" + hex(area.end() - 1) + (area.disablable() ? "(disablable)" : "")).toList());
    }

    private static String note(DeviceStatus status) {
        return status.isolated().map(why -> "isolated: " + why).orElse(status.trapping() ? "trapping" : "");
    }

    private static Optional<ServedStatus> servedOf(DeviceStatus status, List<ServedStatus> served) {
        PciAddress address = status.address();
        return served.stream().filter(each -> each.address().equals(address)).findFirst();
    }

    private static String subsystem(PciId id) {
        return String.format(Locale.ROOT, "%04x:%04x", id.subsystemVendor(), id.subsystem());
    }

    private static String classCode(PciId id) {
        return String.format(Locale.ROOT, "0x%06x", id.classCode());
    }

    private static String revision(PciId id) {
        return String.format(Locale.ROOT, "0x%02x", id.revision());
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private static String orNone(Optional<?> value) {
        return value.map(Object::toString).orElse("");
    }
}
