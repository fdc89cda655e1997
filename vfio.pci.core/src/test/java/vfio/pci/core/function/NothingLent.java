// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.function;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;
import vfio.pci.core.dma.DmaMap;
import vfio.pci.core.irq.IrqTable;

/// For a function that is bound by a test of one part only: no memory, no mappings, no interrupts.
public final class NothingLent implements LentResources {
    @Override
    public MemorySegment barMemory(int bar) {
        return MemorySegment.NULL;
    }

    @Override
    public DmaSpace dma() {
        return new DmaMap(1);
    }

    @Override
    public Interrupts interrupts() {
        return new IrqTable(new InterruptVectors(0, 0, 0), (kind, vector, enabled) -> { }, () -> false);
    }
}
