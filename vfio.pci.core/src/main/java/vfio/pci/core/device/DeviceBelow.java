// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.core.binding.BoundDevice;
import vfio.pci.core.binding.Context;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.region.AddedRegion;
import vfio.pci.core.region.Caller;
import vfio.pci.core.region.Region;

/// What a mediation reaches of its device: the behaviour below it, and what it may add. The memory it asks for is the device's.
final class DeviceBelow implements BoundDevice, AutoCloseable {
    private final OpenDevice device;
    /// Guarded by itself.
    private final Map<String, DeviceMemory> sharedMemories = new HashMap<>();
    /// Of the migration region; guarded by the map.
    private Optional<DeviceMemory> migrationMemory = Optional.empty();

    DeviceBelow(OpenDevice device) {
        this.device = device;
    }

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        target(region, offset, count).read(Caller.NOBODY, offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        target(region, offset, count).write(Caller.NOBODY, offset, buffer, bufferOffset, count);
    }

    private Region target(int region, long offset, int count) throws VfioException {
        device.checkUsable();
        Region target = device.regions().at(region);
        target.check(region, offset, count);
        target.checkOwn(region, offset, count);
        return target;
    }

    @Override
    public RegionInfo regionInfoBelow(int region) throws VfioException {
        return device.regions().at(region).info();
    }

    @Override
    public int addRegion(Context owner, long size, Optional<SharedMemory> backing, RegionInfo info) {
        Optional<DeviceMemory> memory = backing.map(DeviceMemory.class::cast);
        if (memory.isPresent() && memory.get().size() < size) {
            throw new IllegalArgumentException("size=0x%x backing=0x%x expected=at least that".formatted(size, memory.get().size()));
        }
        return device.regions().add(owner, AddedKind.of(info, owner.mediator(), size, memory),
            index -> new AddedRegion(new RegionInfo(index, size, flags(info), info.capabilities()), memory));
    }

    private static Set<RegionInfo.Flag> flags(RegionInfo info) {
        return info.flags().isEmpty() ? EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE) : info.flags();
    }

    @Override
    public int addIrq(Context owner, int count, IrqInfo.Type type) {
        return device.addedIrqs().add(owner, owner.predecessor(), count, type);
    }

    @Override
    public boolean raise(int irq, int vector) {
        return device.irqs().raise(irq, vector);
    }

    @Override
    public void claimsChanged(Context owner) {
        device.mediation().claimsChanged(owner);
    }

    @Override
    public void trap(Context owner, boolean on) throws VfioException {
        if (on) {
            device.trapSwitch().on(owner);
        } else {
            untrap(owner);
        }
    }

    @Override
    public void untrap(Context owner) {
        device.interests().trap(owner, false);
    }

    @Override
    public void watchDoorbells(Context owner, DoorbellTap subscriber) throws VfioException {
        device.doorbells().watch(owner, subscriber);
    }

    @Override
    public void unwatchDoorbells(Context owner) {
        device.doorbells().unwatch(owner);
    }

    @Override
    public boolean trapping() {
        return device.interests().trapping();
    }

    @Override
    public SharedMemory sharedMemory(String name, long size) throws VfioException {
        if (size <= 0 || size % Bar.PAGE_SIZE != 0) {
            throw new VfioException(Errno.EINVAL, "memory=%s size=0x%x expected=whole pages".formatted(name, size));
        }
        synchronized (sharedMemories) {
            device.checkUsable();
            DeviceMemory present = sharedMemories.get(name);
            if (present == null) {
                present = DeviceMemory.create("vfio-" + device.address() + "-" + name, size);
                sharedMemories.put(name, present);
            } else if (present.size() != size) {
                throw new VfioException(Errno.EINVAL, "memory=%s size=0x%x expected=0x%x".formatted(name, size, present.size()));
            }
            return present;
        }
    }

    /// Memory of the migration region, the same for each mediation.
    ///
    /// @throws VfioException ENOMEM, EMFILE when there is none
    DeviceMemory migrationMemory(long size) throws VfioException {
        synchronized (sharedMemories) {
            device.checkUsable();
            if (migrationMemory.isEmpty()) {
                migrationMemory = Optional.of(DeviceMemory.create("vfio-" + device.address() + "-migration", size));
            }
            return migrationMemory.get();
        }
    }

    @Override
    public DmaSpace dma() {
        return device.dma();
    }

    /// The device has gone for good, and gives no memory any more.
    @Override
    public void close() {
        synchronized (sharedMemories) {
            sharedMemories.values().forEach(DeviceMemory::close);
            migrationMemory.ifPresent(DeviceMemory::close);
        }
    }
}
