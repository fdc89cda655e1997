// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.core.memory.DeviceMemory;

/// A region a mediation added: that answers every access, so what arrives here was passed through to nothing.
public final class AddedRegion extends Region {
    private final RegionInfo info;
    private final Optional<DeviceMemory> memory;

    /// A region of this description.
    public AddedRegion(RegionInfo info, Optional<DeviceMemory> memory) {
        super(info.size());
        this.info = info;
        this.memory = memory;
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        throw passedThrough();
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        throw passedThrough();
    }

    private VfioException passedThrough() {
        return new VfioException(Errno.EIO, "region=%d expected=an access that its mediation handles".formatted(info.index()));
    }

    @Override
    public Optional<DeviceMemory> memory() {
        return memory;
    }

    @Override
    public List<Range> memoryLike() {
        return memory.map(file -> List.of(new Range(0, file.size()))).orElse(List.of());
    }
}
