// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.core.binding.BoundDevice;
import vfio.pci.core.binding.Context;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.region.AddedRegion;
import vfio.pci.core.region.Caller;
import vfio.pci.core.region.Region;

/// What the mediation of one layer reaches of its device: the behaviour below it, which is that of the layers there and then the device's
/// own, and what it may add.
final class DeviceBelow implements BoundDevice {
    private final OpenDevice device;
    private final Layer layer;
    private final Descent descent;

    DeviceBelow(OpenDevice device, Layer layer) {
        this.device = device;
        this.layer = layer;
        this.descent = new Descent(device, true, Descent.FROM_ABOVE);
    }

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        Region target = target(region, offset, count);
        Interest now = device.interests().of(true);
        int lower = now.layers().below(layer);
        if (lower != 0) {
            lower &= now.in(region, offset, count);
            if (lower != 0 && descent.read(now, lower, region, offset, buffer, bufferOffset, count) == Descent.End.HANDLED) {
                return;
            }
        }
        target.checkOwn(region, offset, count);
        target.read(Caller.NOBODY, offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        Region target = target(region, offset, count);
        Interest now = device.interests().of(true);
        int lower = now.layers().below(layer);
        if (lower != 0) {
            lower &= now.in(region, offset, count);
            if (lower != 0 && descent.write(now, lower, region, offset, buffer, bufferOffset, count) == Descent.End.HANDLED) {
                return;
            }
        }
        target.checkOwn(region, offset, count);
        target.write(Caller.NOBODY, offset, buffer, bufferOffset, count);
    }

    private Region target(int region, long offset, int count) throws VfioException {
        device.checkUsable();
        Region target = device.regions().at(region);
        target.check(region, offset, count);
        return target;
    }

    @Override
    public RegionInfo regionInfoBelow(int region) throws VfioException {
        return device.mediation().views().describeBelow(layer, region, device.regions().at(region));
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
        layer.claimsChanged(owner);
    }

    @Override
    public List<String> unmap(List<Claim> ranges) {
        return new KeptOut(device, ranges).tell();
    }

    @Override
    public List<String> mappedBy(List<Claim> ranges) {
        return new KeptOut(device, ranges).mappedBy();
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
        layer.doorbells().watch(owner, subscriber);
    }

    @Override
    public void unwatchDoorbells(Context owner) {
        layer.doorbells().unwatch(owner);
    }

    @Override
    public boolean trapping() {
        return device.interests().trapping();
    }

    @Override
    public SharedMemory sharedMemory(String name, long size) throws VfioException {
        return device.memories().shared(layer, name, size);
    }

    @Override
    public DmaSpace dma() {
        return device.dma();
    }
}
