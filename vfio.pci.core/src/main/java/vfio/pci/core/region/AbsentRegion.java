// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;

/// A region with nothing in it: a BAR the function lacks, or what is left of one whose mediation has gone.
public final class AbsentRegion extends Region {
    private final RegionInfo info;

    /// Nothing, at this index.
    public AbsentRegion(int index) {
        super(0);
        info = RegionInfo.absent(index);
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        throw nothing();
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        throw nothing();
    }

    private VfioException nothing() {
        return new VfioException(Errno.EINVAL, "region=%d expected=one with a size".formatted(info.index()));
    }
}
