// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// What a mediation kept by itself, between it and the one that follows. Nothing in it leads to the mediation.
///
/// @param mediator name of whose it was
/// @param version of what it wrote
/// @param sections in order
public record HandedOver(String mediator, StateVersion version, List<StateSection> sections) {
    /// Copies the list.
    public HandedOver {
        sections = List.copyOf(sections);
    }

    /// Has it given.
    ///
    /// @throws VfioException ENOSPC when it is more than anybody keeps; what the vendor answers
    static HandedOver by(String mediator, Handover vendor) throws VfioException {
        HandedOver given = new HandedOver(mediator, vendor.version(), vendor.save()).copy();
        long size = given.sections.stream().mapToLong(section -> section.data().length).sum();
        if (size > Handover.MOST_BYTES) {
            throw new VfioException(Errno.ENOSPC, "mediator=%s handover=0x%x bytes expected=at most 0x%x".formatted(mediator, size,
                Handover.MOST_BYTES));
        }
        return given;
    }

    /// The same with bytes of its own: who is handed them may do to them what it likes.
    HandedOver copy() {
        return new HandedOver(mediator, version, sections.stream()
            .map(section -> new StateSection(section.name(), section.version(), section.data().clone())).toList());
    }
}
