// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import vfio.pci.api.admin.AccessStats;
import vfio.pci.core.dma.DmaMap;

/// Counts of ports that are closed, added up.
final class DeviceTotals {
    private long mediated;
    private long passed;
    private long trapped;
    private long errors;

    synchronized void add(AccessCounters counters) {
        mediated += counters.mediated();
        passed += counters.passed();
        trapped += counters.trapped();
        errors += counters.errors();
    }

    synchronized DeviceTotals copy() {
        DeviceTotals copy = new DeviceTotals();
        copy.mediated = mediated;
        copy.passed = passed;
        copy.trapped = trapped;
        copy.errors = errors;
        return copy;
    }

    synchronized AccessStats stats(long interrupts, DmaMap dma) {
        return new AccessStats(mediated, passed, trapped, interrupts, errors, dma.bytesRead(), dma.bytesWritten(), dma.faults());
    }
}
