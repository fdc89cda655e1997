// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.stream.Stream;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.mediation.Claim;

/// Ranges of regions that clients are not to have mapped any more. A client that asks once, as QEMU, has its pages until it closes the
/// device; one that takes part in trapping, or has the interrupt that says that areas changed, gives them back.
final class KeptOut {
    private final OpenDevice device;
    private final List<Claim> ranges;

    KeptOut(OpenDevice device, List<Claim> ranges) {
        this.device = device;
        this.ranges = ranges;
    }

    /// Tells those that can be told, and waits for them, at most as long as is configured for a switch of trapping.
    ///
    /// @return names of all that may have a part of the ranges mapped still
    List<String> tell() {
        if (inside().findAny().isEmpty()) {
            return List.of();
        }
        device.interests().tellAreas(ranges);
        device.trapSwitch().awaitNone(() -> inside().filter(this::hears).findFirst());
        return mappedBy();
    }

    /// Names of clients that may have a part of the ranges mapped.
    List<String> mappedBy() {
        return inside().map(handle -> handle.client().name()).toList();
    }

    private Stream<DeviceHandle> inside() {
        return device.handles().stream().filter(handle -> ranges.stream().anyMatch(handle.maps()::mayMap));
    }

    private boolean hears(DeviceHandle handle) {
        return handle.client().has(Client.Feature.DISABLABLE_AREAS)
            || ranges.stream().anyMatch(range -> device.irqs().takes(handle, IrqInfo.Type.REGION_AREAS, range.region()));
    }
}
