// SPDX-License-Identifier: Apache-2.0
package vmm.control;

import java.util.function.Consumer;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vmm.Outgoing;

/// What a VMM does with an order. One at a time, on a thread of its own.
public interface Orders {
    /// An order has come.
    ///
    /// @param watcher to be told by what this answers
    /// @return what carries it out; it is run next
    /// @throws VfioException to refuse, with nothing changed
    Outgoing begin(MigrationOrder order, Consumer<MigrationProgress> watcher) throws VfioException;

    /// It has ended. Where the machine runs elsewhere now, its devices here are to be closed.
    void ended(MigrationOutcome outcome);
}
