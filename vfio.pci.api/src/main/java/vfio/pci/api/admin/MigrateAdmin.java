// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// Has the client of a device move its virtual machine. The runtime carries nothing itself: the VMM has the memory and is the arbiter. An
/// OSGi service; may be called by any thread.
@ProviderType
public interface MigrateAdmin {
    /// The VMMs that take part.
    List<MigratingClient> clients();

    /// Has the client of a device move its machine, with all devices of it, and waits until that has ended one way or the other.
    ///
    /// @param progress told now and then, on the calling thread
    /// @throws VfioException ENODEV when there is no such function; EOPNOTSUPP when its client takes no part, or it has none, with nothing
    ///     changed; EBUSY when that machine is being moved already; ECONNRESET when the VMM goes before it has told the end, ETIMEDOUT
    ///     when it says nothing for a minute; ECANCELED
    ///     when the calling thread is interrupted, which cancels the move
    MigrationOutcome migrate(PciAddress address, MigrationOrder order, Consumer<MigrationProgress> progress) throws VfioException;

    /// Has that ended, from another thread than the one that waits for it. What came of it is told there: it may be too late.
    ///
    /// @throws VfioException ENOENT when nothing is being moved there; else as [#migrate]
    void cancel(PciAddress address) throws VfioException;
}
