// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import vfio.pci.api.function.Bar;
import vfio.pci.api.function.PciFunction;

/// Which bits of config space are whose, from the header and the capabilities a function has.
final class ConfigPermissions {
    private ConfigPermissions() {
    }

    static PermissionTable of(int size, PciFunction function, byte[] raw, Capabilities capabilities) {
        PermissionTable table = new PermissionTable(size);
        header(table, function);
        capabilities.offset(ConfigLayout.CAP_ID_PM).ifPresent(at ->
            table.virtualBits(at + ConfigLayout.PM_CTRL, 2, ConfigLayout.PM_CTRL_STATE_MASK));
        capabilities.offset(ConfigLayout.CAP_ID_MSI).ifPresent(at -> msi(table, raw, at));
        capabilities.offset(ConfigLayout.CAP_ID_MSIX).ifPresent(at ->
            table.through(at + ConfigLayout.MSIX_FLAGS, 2, ConfigLayout.MSIX_FLAGS_MASKALL_ENABLE));
        capabilities.offset(ConfigLayout.CAP_ID_EXP).ifPresent(at -> {
            // Payload and read request size belong to the host's bus; the client may believe what it likes. A reset is taken out on the
            // way.
            table.virtualBits(at + ConfigLayout.EXP_DEVCTL, 2, ConfigLayout.EXP_DEVCTL_PAYLOAD_READRQ);
            if (at + ConfigLayout.EXP_DEVCTL2 + 2 <= ConfigLayout.CFG_SPACE_SIZE) {
                table.virtualBits(at + ConfigLayout.EXP_DEVCTL2, 2, ConfigLayout.EXP_DEVCTL2_COMP_TIMEOUT);
            }
        });
        return table;
    }

    private static void header(PermissionTable table, PciFunction function) {
        table.virtual(ConfigLayout.VENDOR_ID, 2, 0);
        table.virtual(ConfigLayout.DEVICE_ID, 2, 0);
        // A virtual function has no decoding enables of its own, and a physical one's are the core's to keep on.
        table.virtualBits(ConfigLayout.COMMAND, 2,
            ConfigLayout.COMMAND_IO | ConfigLayout.COMMAND_MEMORY | ConfigLayout.COMMAND_INTX_DISABLE);
        table.through(ConfigLayout.COMMAND, 2, ConfigLayout.COMMAND_MASTER | ConfigLayout.COMMAND_PARITY | ConfigLayout.COMMAND_SERR);
        table.throughWriteOneToClear(ConfigLayout.STATUS, 2, ConfigLayout.STATUS_WRITE_ONE_TO_CLEAR);
        table.virtual(ConfigLayout.REVISION_ID, 1, 0);
        table.virtual(ConfigLayout.CLASS_PROG, 3, 0);
        table.through(ConfigLayout.CACHE_LINE_SIZE, 1, 0xFF);
        for (int i = 0; i < 6; i++) {
            table.virtual(ConfigLayout.BASE_ADDRESS_0 + 4 * i, 4, 0);
        }
        for (Bar bar : function.bars()) {
            if (bar.index() < Bar.ROM) {
                bar(table, bar);
            }
        }
        table.virtual(ConfigLayout.SUBSYSTEM_VENDOR_ID, 2, 0);
        table.virtual(ConfigLayout.SUBSYSTEM_ID, 2, 0);
        rom(table, function);
        table.virtual(ConfigLayout.INTERRUPT_LINE, 1, 0xFF);
        table.virtual(ConfigLayout.INTERRUPT_PIN, 1, 0);
    }

    /// The writable bits of a BAR are those above its size: what makes sizing work.
    private static void bar(PermissionTable table, Bar bar) {
        int at = ConfigLayout.BASE_ADDRESS_0 + 4 * bar.index();
        long writable = -bar.size();
        table.virtual(at, 4, (int) writable & (bar.kind() == Bar.Kind.IO ? ~0x3 : ~0xF));
        if (bar.kind() == Bar.Kind.MEMORY_64) {
            table.virtual(at + 4, 4, (int) (writable >>> 32));
        }
    }

    private static void rom(PermissionTable table, PciFunction function) {
        int writable = function.bars().stream().filter(bar -> bar.index() == Bar.ROM)
            .mapToInt(bar -> (int) -bar.size() & ~0x7FF | 1).findFirst().orElse(0);
        table.virtual(ConfigLayout.ROM_ADDRESS, 4, writable);
    }

    static int typeBits(Bar bar) {
        return (bar.kind() == Bar.Kind.IO ? ConfigLayout.BASE_ADDRESS_SPACE_IO : 0)
            | (bar.kind() == Bar.Kind.MEMORY_64 ? ConfigLayout.BASE_ADDRESS_MEM_TYPE_64 : 0)
            | (bar.prefetchable() ? ConfigLayout.BASE_ADDRESS_MEM_PREFETCH : 0);
    }

    /// Enable, vectors and message are kept here: delivery is by trigger, and the hardware never sees the guest's address.
    private static void msi(PermissionTable table, byte[] raw, int at) {
        int flags = Capabilities.u16(raw, at + ConfigLayout.MSI_FLAGS);
        boolean wide = (flags & ConfigLayout.MSI_FLAGS_64BIT) != 0;
        table.virtualBits(at + ConfigLayout.MSI_FLAGS, 2, ConfigLayout.MSI_FLAGS_ENABLE | ConfigLayout.MSI_FLAGS_QSIZE);
        table.virtual(at + 4, 4, ~0x3);
        if (wide) {
            table.virtual(at + 8, 4, -1);
        }
        table.virtual(at + (wide ? 12 : 8), 2, -1);
        if ((flags & ConfigLayout.MSI_FLAGS_MASKBIT) != 0) {
            table.virtual(at + (wide ? 16 : 12), 4, -1);
        }
    }
}
