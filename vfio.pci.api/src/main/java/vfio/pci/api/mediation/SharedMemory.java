// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/// Memory of an open device that a client may be shown.
@ProviderType
public interface SharedMemory {
    /// The bytes, zero at first. A client that mapped them may change them at any time.
    MemorySegment memory();
}
