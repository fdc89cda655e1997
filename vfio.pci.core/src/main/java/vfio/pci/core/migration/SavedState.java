// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.util.List;
import vfio.pci.api.migration.StateSection;

/// A device's state between two mediators of it, within this process.
///
/// @param header whose it is
/// @param sections in order
public record SavedState(StreamHeader header, List<StateSection> sections) {
    /// Copies the list.
    public SavedState {
        sections = List.copyOf(sections);
    }

    /// The sections with bytes of their own: who is handed them may do to them what it likes.
    List<StateSection> copies() {
        return sections.stream().map(section -> new StateSection(section.name(), section.version(), section.data().clone())).toList();
    }
}
