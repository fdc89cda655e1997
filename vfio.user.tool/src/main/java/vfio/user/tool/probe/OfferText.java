// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.probe;

import java.io.PrintStream;
import java.util.Locale;
import java.util.stream.Collectors;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.user.wire.IoEventFdLayout;
import vfio.user.wire.IoEventFdLayout.IoEventFd;

/// An offer as lines for people, much as lspci prints a device: a heading, and what belongs to it indented.
final class OfferText {
    private OfferText() {
    }

    static void print(Offer offer, PrintStream out) {
        out.println(offer.socket() + ": " + offer.config().map(OfferText::heading).orElse("no configuration space"));
        out.println("    version: 0.0 " + (offer.version().isEmpty() ? "{}" : printable(offer.version())));
        out.printf("    device: %sregions=%d irqs=%d%n", offer.device().resettable() ? "reset " : "", offer.device().regions(),
            offer.device().irqs());
        offer.config().ifPresent(config -> print(config, out));
        offer.regions().stream().filter(region -> region.info().size() > 0).forEach(region -> print(region, out));
        offer.irqs().stream().filter(irq -> irq.count() > 0).forEach(irq -> out.printf("    irq %d %s: count=%d %s%n", irq.index(),
            Offer.irqName(irq.index()), irq.count(), flags(irq)));
        offer.features().forEach((name, operations) -> out.printf("    feature %s: %s%n", name, operations));
    }

    private static String heading(ConfigSummary config) {
        return "%s class=0x%06x rev=0x%02x subsystem=%04x:%04x".formatted(config.id().vendorAndDevice(), config.id().classCode(),
            config.id().revision(), config.id().subsystemVendor(), config.id().subsystem());
    }

    private static void print(ConfigSummary config, PrintStream out) {
        out.printf("    config: command=0x%04x status=0x%04x header=0x%02x bars=%s%n", config.command(), config.status(),
            config.headerType(), config.bars().stream().map("0x%08x"::formatted).collect(Collectors.joining(",")));
        config.capabilities().forEach(capability -> out.println("        capability " + capability));
        config.extended().forEach(capability -> out.println("        extended " + capability));
    }

    private static void print(Offer.Region region, PrintStream out) {
        out.printf("    region %d %s: size=0x%x %s%s%n", region.info().index(), Offer.regionName(region.info().index()),
            region.info().size(), region.info().flags().stream().sorted().map(OfferText::name).collect(Collectors.joining(" ")),
            region.fileSize().isPresent() ? " file-offset=0x%x file-size=0x%x".formatted(region.fileOffset().orElse(0),
                region.fileSize().getAsLong()) : "");
        region.info().capabilities().forEach(capability -> out.println("        " + text(capability)));
        region.events().forEach(event -> out.println("        " + text(event)));
    }

    private static String text(RegionCapability capability) {
        return switch (capability) {
            case RegionCapability.SparseMmap sparse -> "sparse-mmap " + sparse.areas().stream().map(OfferText::text)
                .collect(Collectors.joining(", "));
            case RegionCapability.Type type -> "type=0x%x subtype=0x%x".formatted(type.type(), type.subtype());
            case RegionCapability.MsixMappable _ -> "msix-mappable";
        };
    }

    private static String text(IoEventFd event) {
        String where = "0x%x size=%d".formatted(event.offset(), event.size());
        if (event.type() != IoEventFdLayout.TYPE_IOEVENTFD) {
            return "io-fd %s type=%d flags=0x%x".formatted(where, event.type(), event.flags());
        }
        boolean matched = (event.flags() & IoEventFdLayout.FLAG_DATAMATCH) != 0;
        return "ioeventfd %s %s".formatted(where, matched ? "value=0x%x".formatted(event.datamatch()) : "any value");
    }

    private static String text(MmapArea area) {
        return "0x%x-0x%x%s".formatted(area.offset(), area.end(), area.disablable() ? " disablable" : "");
    }

    private static String flags(IrqInfo irq) {
        return irq.flags().stream().sorted().map(OfferText::name).collect(Collectors.joining(" "));
    }

    static String name(Enum<?> flag) {
        return flag.name().toLowerCase(Locale.ROOT);
    }

    /// What a server sent, without what a terminal would take as more than text.
    private static String printable(String text) {
        return text.chars().mapToObj(c -> c < ' ' || c >= 0x7F && c < 0xA0 ? "\\u%04x".formatted(c) : Character.toString(c))
            .collect(Collectors.joining());
    }
}
