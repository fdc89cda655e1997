// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.core.dma.DmaMap;
import vfio.pci.core.dma.WriteLog;
import vfio.pci.core.migration.DirtyPages;
import vfio.pci.core.migration.MigrationEngine;

/// An open device as its migration sees it.
///
/// @param whole refuses to leave something of it behind
record MovedDevice(PciId id, ReentrantLock turn, DmaMap dma, Whole whole) implements MigrationEngine.Device {
    /// About twice as much is held while a state is taken in.
    private static final long MOST_STATE_BYTES = 64 << 20;

    /// Whether all of it moves.
    @FunctionalInterface
    interface Whole {
        /// Refuses, if not.
        void check() throws VfioException;
    }

    @Override
    public void checkWhole() throws VfioException {
        whole.check();
    }

    @Override
    public void writableMappings(Consumer<IovaRange> each) {
        dma.writable(each);
    }

    @Override
    public void logTransfers(Optional<DirtyPages> log) {
        dma.log(log.isPresent() ? log.get() : WriteLog.NONE);
    }

    @Override
    public long mostStateBytes() {
        return MOST_STATE_BYTES;
    }
}
