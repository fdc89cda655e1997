// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.migration;

import org.osgi.annotation.versioning.ProviderType;

/// Where a mediator says which memory its device wrote, while a client wants to know. What is outside the ranges the client asked for is
/// let go. May be called by any thread; never blocks.
@ProviderType
public interface DirtyLog {
    /// The device has written here, or may have. To be called after the write: a page that is marked before it may be copied too early.
    ///
    /// @param iova unsigned
    /// @param length bytes, unsigned; a range that would wrap is marked up to the last address
    void mark(long iova, long length);

    /// Whether every transfer of the device through its DMA space is marked as it is done. Off at first.
    void markTransfers(boolean on);

    /// Whether every page of every writable mapping is in every report. Off at first.
    void markEverything(boolean on);
}
