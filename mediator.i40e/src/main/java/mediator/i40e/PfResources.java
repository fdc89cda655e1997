// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;

/// What the driver lends a physical function: memory for BAR pages that are memory, should it have any; as much memory to reach by DMA as
/// its admin queue needs; and nobody to take interrupts, because the driver looks by itself.
final class PfResources implements LentResources, Interrupts, AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Map<Integer, MemorySegment> memory = new HashMap<>();
    private final DmaMemory dma = new DmaMemory(arena, AdminQueue.MEMORY);

    PfResources(List<Bar> bars) {
        for (Bar bar : bars) {
            memory.put(bar.index(), bar.memoryLike().isEmpty() ? MemorySegment.NULL : arena.allocate(bar.size(), Bar.PAGE_SIZE));
        }
    }

    @Override
    public MemorySegment barMemory(int bar) {
        return memory.getOrDefault(bar, MemorySegment.NULL);
    }

    @Override
    public DmaMemory dma() {
        return dma;
    }

    @Override
    public Interrupts interrupts() {
        return this;
    }

    @Override
    public boolean raise(InterruptKind kind, int vector) {
        return false;
    }

    @Override
    public void intx(boolean asserted) {
        // Nobody takes it.
    }

    /// Only after the function was unbound: it touches the memory no more.
    @Override
    public void close() {
        arena.close();
    }
}
