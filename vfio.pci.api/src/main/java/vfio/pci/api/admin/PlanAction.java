// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.Locale;

/// What can be planned for a bundle.
public enum PlanAction {
    /// A jar becomes a bundle, and is started.
    INSTALL,
    /// A bundle gets new content.
    UPDATE,
    /// A bundle goes.
    UNINSTALL,
    /// A bundle, and all that is wired to it, is wired anew.
    REFRESH;

    /// As people type it.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
