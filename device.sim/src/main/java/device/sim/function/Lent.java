// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.Interrupts;

/// What a driver lends a device, asked for once.
///
/// @param memory by BAR, of those that have memory-like pages
/// @param dma the device's view of memory
/// @param interrupts where its interrupts go
public record Lent(Map<Integer, MemorySegment> memory, DmaSpace dma, Interrupts interrupts) {
    /// Copies the map.
    public Lent {
        memory = Map.copyOf(memory);
    }
}
