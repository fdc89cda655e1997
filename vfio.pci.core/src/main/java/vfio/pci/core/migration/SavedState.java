// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
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

    /// What was put in must come out again, as far as that can be told: what belongs to a running client may have changed.
    ///
    /// @throws VfioException EIO when other sections come out, or of other lengths
    static void checkSame(List<StateSection> before, List<StateSection> after) throws VfioException {
        boolean same = after.size() == before.size();
        for (int i = 0; same && i < after.size(); i++) {
            same = after.get(i).name().equals(before.get(i).name()) && after.get(i).version() == before.get(i).version()
                && after.get(i).data().length == before.get(i).data().length;
        }
        if (!same) {
            throw new VfioException(Errno.EIO, "state=%s after it was loaded expected=%s".formatted(after, before));
        }
    }
}
