// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// Strategy `all`: every page that is mapped and writable is in every report, and one that was unmapped since in the next.
///
/// Assumes nothing of the guest, and never converges: a client that copies until little is left has to give up and stop the guest.
final class All extends DirtyTracking {
    @Override
    void begin(DirtyLog log) throws VfioException {
        log.markEverything(true);
    }
}
