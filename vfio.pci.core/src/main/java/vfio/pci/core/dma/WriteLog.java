// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

/// Who is told of what a device writes.
@FunctionalInterface
public interface WriteLog {
    /// Nobody.
    WriteLog NONE = (iova, count) -> { };

    /// A write was done, or failed on the way. On the writing thread; must not block.
    ///
    /// @param iova unsigned
    void written(long iova, long count);

    /// Memory that could be written has been unmapped, and nothing writes it any more.
    ///
    /// @param iova unsigned
    default void unmapped(long iova, long count) {
    }
}
