// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.core.memory.DeviceMemory;

/// Memory that mediations ask for, and that is the device's: it outlives them.
final class SharedMemories implements AutoCloseable {
    private final OpenDevice device;
    /// Guarded by itself.
    private final Map<Key, DeviceMemory> shared = new HashMap<>();
    /// Of the migration region; guarded by the map.
    private Optional<DeviceMemory> migrationMemory = Optional.empty();

    /// Layers have names of their own, and successors in a layer the same.
    private record Key(Layer layer, String name) {
    }

    SharedMemories(OpenDevice device) {
        this.device = device;
    }

    /// As [vfio.pci.api.mediation.MediationContext#sharedMemory].
    SharedMemory shared(Layer layer, String name, long size) throws VfioException {
        if (size <= 0 || size % Bar.PAGE_SIZE != 0) {
            throw new VfioException(Errno.EINVAL, "memory=%s size=0x%x expected=whole pages".formatted(name, size));
        }
        Key key = new Key(layer, name);
        synchronized (shared) {
            device.checkUsable();
            DeviceMemory present = shared.get(key);
            if (present == null) {
                present = DeviceMemory.create("vfio-" + device.address() + "-" + name, size);
                shared.put(key, present);
            } else if (present.size() != size) {
                throw new VfioException(Errno.EINVAL, "memory=%s size=0x%x expected=0x%x".formatted(name, size, present.size()));
            }
            return present;
        }
    }

    /// Memory of the migration region, the same for each mediation.
    ///
    /// @throws VfioException ENOMEM, EMFILE when there is none
    DeviceMemory ofMigration(long size) throws VfioException {
        synchronized (shared) {
            device.checkUsable();
            if (migrationMemory.isEmpty()) {
                migrationMemory = Optional.of(DeviceMemory.create("vfio-" + device.address() + "-migration", size));
            }
            return migrationMemory.get();
        }
    }

    /// The device has gone for good, and gives no memory any more.
    @Override
    public void close() {
        synchronized (shared) {
            shared.values().forEach(DeviceMemory::close);
            migrationMemory.ifPresent(DeviceMemory::close);
        }
    }
}
