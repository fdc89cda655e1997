// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import java.util.List;
import vfio.pci.api.Range;
import vfio.pci.api.function.Bar;

/// Where the MSI-X table and its pending bits are. Pages they touch are never mapped: the table is the interrupt controller's business.
///
/// @param tableBar BAR of the table
/// @param table bytes of the table
/// @param pendingBar BAR of the pending bits
/// @param pending bytes of the pending bits
public record MsixTable(int tableBar, Range table, int pendingBar, Range pending) {
    static MsixTable at(byte[] config, int capability) {
        int vectors = (Capabilities.u16(config, capability + ConfigLayout.MSIX_FLAGS) & ConfigLayout.MSIX_FLAGS_QSIZE) + 1;
        int table = Capabilities.u32(config, capability + ConfigLayout.MSIX_TABLE);
        int pending = Capabilities.u32(config, capability + ConfigLayout.MSIX_PBA);
        return new MsixTable(table & ConfigLayout.MSIX_BIR,
            new Range(Integer.toUnsignedLong(table & ~ConfigLayout.MSIX_BIR), (long) vectors * ConfigLayout.MSIX_ENTRY_SIZE),
            pending & ConfigLayout.MSIX_BIR,
            new Range(Integer.toUnsignedLong(pending & ~ConfigLayout.MSIX_BIR), Math.ceilDiv(vectors, 64) * 8L));
    }

    /// Pages of a BAR that must not be mapped.
    public List<Range> pagesIn(int bar) {
        if (tableBar == bar && pendingBar == bar) {
            return List.of(pages(table), pages(pending));
        }
        return tableBar == bar ? List.of(pages(table)) : pendingBar == bar ? List.of(pages(pending)) : List.of();
    }

    private static Range pages(Range range) {
        long first = range.offset() & -Bar.PAGE_SIZE;
        return new Range(first, Math.ceilDiv(range.end(), Bar.PAGE_SIZE) * Bar.PAGE_SIZE - first);
    }
}
