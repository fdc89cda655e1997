// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.probe;

import com.eclipsesource.json.Json;
import com.eclipsesource.json.JsonArray;
import com.eclipsesource.json.JsonObject;
import com.eclipsesource.json.JsonValue;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.user.wire.IoEventFdLayout.IoEventFd;

/// An offer as one line of JSON. Addresses, sizes, offsets and ids are strings, hexadecimal; counts are numbers.
final class OfferJson {
    private OfferJson() {
    }

    static String of(Offer offer) {
        JsonObject json = new JsonObject().add("socket", offer.socket().toString())
            .add("version", offer.version().isEmpty() ? new JsonObject() : Json.parse(offer.version()))
            .add("device", new JsonObject().add("reset", offer.device().resettable()).add("regions", offer.device().regions())
                .add("irqs", offer.device().irqs()))
            .add("regions", list(offer.regions(), OfferJson::region)).add("irqs", list(offer.irqs(), OfferJson::irq));
        offer.config().ifPresent(config -> json.add("config", config(config)));
        JsonObject features = new JsonObject();
        offer.features().forEach((name, operations) -> features.add(name, list(List.of(operations.split(" ")), Json::value)));
        return json.add("features", features).toString();
    }

    private static JsonValue config(ConfigSummary config) {
        return new JsonObject().add("vendor", hex(config.id().vendor())).add("device", hex(config.id().device()))
            .add("class", hex(config.id().classCode())).add("revision", hex(config.id().revision()))
            .add("subsystem_vendor", hex(config.id().subsystemVendor())).add("subsystem", hex(config.id().subsystem()))
            .add("command", hex(config.command())).add("status", hex(config.status())).add("header", hex(config.headerType()))
            .add("bars", list(config.bars(), bar -> Json.value(hex(Integer.toUnsignedLong(bar)))))
            .add("capabilities", list(config.capabilities(), Json::value)).add("extended", list(config.extended(), Json::value));
    }

    private static JsonValue region(Offer.Region region) {
        JsonObject json = new JsonObject().add("index", region.info().index()).add("name", Offer.regionName(region.info().index()))
            .add("size", hex(region.info().size()))
            .add("flags", list(region.info().flags().stream().sorted().toList(), flag -> Json.value(OfferText.name(flag))))
            .add("capabilities", list(region.info().capabilities(), OfferJson::capability));
        region.fileOffset().ifPresent(offset -> json.add("file_offset", hex(offset)));
        region.fileSize().ifPresent(size -> json.add("file_size", hex(size)));
        if (!region.events().isEmpty()) {
            json.add("io_fds", list(region.events(), OfferJson::event));
        }
        return json;
    }

    private static JsonValue capability(RegionCapability capability) {
        return switch (capability) {
            case RegionCapability.SparseMmap sparse -> new JsonObject().add("kind", "sparse-mmap")
                .add("areas", list(sparse.areas(), OfferJson::area));
            case RegionCapability.Type type -> new JsonObject().add("kind", "type").add("type", hex(type.type()))
                .add("subtype", hex(type.subtype()));
            case RegionCapability.MsixMappable _ -> new JsonObject().add("kind", "msix-mappable");
        };
    }

    private static JsonValue event(IoEventFd event) {
        return new JsonObject().add("offset", hex(event.offset())).add("size", event.size()).add("type", event.type())
            .add("flags", hex(event.flags())).add("datamatch", hex(event.datamatch()));
    }

    private static JsonValue area(MmapArea area) {
        return new JsonObject().add("offset", hex(area.offset())).add("size", hex(area.size())).add("disablable", area.disablable());
    }

    private static JsonValue irq(IrqInfo irq) {
        return new JsonObject().add("index", irq.index()).add("name", Offer.irqName(irq.index())).add("count", irq.count())
            .add("flags", list(irq.flags().stream().sorted().toList(), flag -> Json.value(OfferText.name(flag))));
    }

    private static <T> JsonArray list(Collection<T> items, Function<T, JsonValue> each) {
        JsonArray array = new JsonArray();
        items.forEach(item -> array.add(each.apply(item)));
        return array;
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
