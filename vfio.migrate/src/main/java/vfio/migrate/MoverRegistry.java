// SPDX-License-Identifier: Apache-2.0
package vfio.migrate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// The VMMs that take part. Any thread; the lock is this.
final class MoverRegistry {
    /// Most at a time.
    static final int MOST = 256;

    private final List<Mover> movers = new ArrayList<>();

    /// Adds one.
    ///
    /// @throws VfioException EBUSY when a device is in another's machine, or there are too many
    synchronized void add(Mover mover) throws VfioException {
        if (movers.size() >= MOST) {
            throw new VfioException(Errno.EBUSY, "clients=%d expected=fewer".formatted(MOST));
        }
        for (PciAddress device : mover.devices()) {
            if (of(device).isPresent()) {
                throw new VfioException(Errno.EBUSY, "device=%s expected=one that nobody has registered".formatted(device));
            }
        }
        movers.add(mover);
    }

    synchronized void remove(Mover mover) {
        movers.remove(mover);
    }

    /// Whose machine a device is in.
    synchronized Optional<Mover> of(PciAddress device) {
        return movers.stream().filter(mover -> mover.devices().contains(device)).findFirst();
    }

    synchronized List<Mover> all() {
        return List.copyOf(movers);
    }
}
