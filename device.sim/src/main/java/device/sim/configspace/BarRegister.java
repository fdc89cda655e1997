// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.util.List;
import vfio.pci.api.function.Bar;

/// How a base address register looks: type bits fixed, address bits down to the size writable, which is what sizing relies on.
final class BarRegister {
    private BarRegister() {
    }

    /// The register's fields, two for a 64-bit BAR.
    ///
    /// @param base where BAR 0 stands
    static List<Field> fields(Bar bar, int base) {
        int offset = base + 4 * bar.index();
        long address = -bar.size();
        long low = address & 0xFFFF_FFFFL;
        long prefetchable = bar.prefetchable() ? 8 : 0;
        return switch (bar.kind()) {
            case IO -> List.of(Field.writable(offset, 4, 1, low & ~3L));
            case MEMORY_32 -> List.of(Field.writable(offset, 4, prefetchable, low & ~0xFL));
            case MEMORY_64 -> List.of(
                Field.writable(offset, 4, 4 | prefetchable, low & ~0xFL),
                Field.writable(offset + 4, 4, 0, address >>> 32));
        };
    }
}
