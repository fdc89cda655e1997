// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.device;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/// A part of a region mapped into this process.
@ProviderType
public interface RegionMap extends AutoCloseable {
    /// The memory, shared with the device, good until [#close()] or the handle's.
    MemorySegment memory();

    /// Ends the map. A second call has no effect.
    @Override
    void close();
}
