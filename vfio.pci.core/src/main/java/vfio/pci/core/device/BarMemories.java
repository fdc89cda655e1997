// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.PciFunction;
import vfio.pci.core.memory.DeviceMemory;

/// The memory behind those BARs of a device that a client can map in part. It stays whichever function or mediation comes.
final class BarMemories implements AutoCloseable {
    private final Map<Integer, DeviceMemory> memories = new HashMap<>();

    /// Memory for the BARs of a function.
    ///
    /// @throws VfioException ENOMEM, EMFILE when there is none; nothing is left behind
    BarMemories(PciFunction described) throws VfioException {
        boolean done = false;
        try {
            for (Bar bar : described.bars()) {
                if (!bar.memoryLike().isEmpty()) {
                    memories.put(bar.index(), DeviceMemory.create("vfio-" + described.address() + "-bar" + bar.index(), bar.size()));
                }
            }
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    /// That of a BAR, if it has any.
    Optional<DeviceMemory> of(int bar) {
        return Optional.ofNullable(memories.get(bar));
    }

    /// The core's own map of it; empty where there is none.
    MemorySegment map(int bar) {
        DeviceMemory memory = memories.get(bar);
        return memory == null ? MemorySegment.NULL : memory.memory();
    }

    @Override
    public void close() {
        memories.values().forEach(DeviceMemory::close);
    }
}
