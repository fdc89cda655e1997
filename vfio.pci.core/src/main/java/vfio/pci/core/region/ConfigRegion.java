// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.core.config.ConfigSpace;

/// The config space of the device.
public final class ConfigRegion extends Region {
    private final ConfigSpace config;
    private final ResetRequest reset;
    private final Runnable written;
    private final RegionInfo info;

    /// What a write that starts a function level reset leads to.
    @FunctionalInterface
    public interface ResetRequest {
        /// Resets the device.
        void run() throws VfioException;
    }

    /// A region over a virtual config space.
    ///
    /// @param written told after each write: whether the pin may signal can have changed
    public ConfigRegion(ConfigSpace config, ResetRequest reset, Runnable written) {
        super(config.size());
        this.config = config;
        this.reset = reset;
        this.written = written;
        this.info = new RegionInfo(RegionIndex.CONFIG, config.size(), EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE), List.of());
    }

    @Override
    public RegionInfo info() {
        return info;
    }

    @Override
    public void read(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        config.read(offset, buffer, bufferOffset, count);
    }

    @Override
    public void write(Caller caller, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        if (config.write(offset, buffer, bufferOffset, count)) {
            reset.run();
        }
        written.run();
    }
}
