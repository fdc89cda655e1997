// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.dma.DmaSpace;

/// What a driver lends a function for as long as it is bound. It belongs to the driver (for a served device: to the core's open device), so
/// that a function can be replaced behind it while a client keeps its maps.
@ConsumerType
public interface LentResources {
    /// The memory behind the memory-like pages of a BAR, as long as the BAR; only those pages of it are to be used. Zero-length for a BAR
    /// without any. The client may have the very same memory mapped, and may change it at any time.
    MemorySegment barMemory(int bar);

    /// The function's view of memory.
    DmaSpace dma();

    /// Where its interrupts go.
    Interrupts interrupts();
}
