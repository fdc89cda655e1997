// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

/// Offsets and bits of PCI config space that the core itself needs: PCI Local Bus 3.0 section 6.1, PCI Express 5.0 section 7; names as
/// in Linux's `pci_regs.h`.
final class ConfigLayout {
    static final int VENDOR_ID = 0x00;
    static final int DEVICE_ID = 0x02;
    static final int COMMAND = 0x04;
    static final int COMMAND_IO = 0x1;
    static final int COMMAND_MEMORY = 0x2;
    static final int COMMAND_MASTER = 0x4;
    static final int COMMAND_PARITY = 0x40;
    static final int COMMAND_SERR = 0x100;
    static final int COMMAND_INTX_DISABLE = 0x400;
    static final int STATUS = 0x06;
    static final int STATUS_CAP_LIST = 0x10;
    static final int STATUS_WRITE_ONE_TO_CLEAR = 0xF900;
    static final int REVISION_ID = 0x08;
    static final int CLASS_PROG = 0x09;
    static final int CACHE_LINE_SIZE = 0x0C;
    static final int BASE_ADDRESS_0 = 0x10;
    static final int SUBSYSTEM_VENDOR_ID = 0x2C;
    static final int SUBSYSTEM_ID = 0x2E;
    static final int ROM_ADDRESS = 0x30;
    static final int CAPABILITY_LIST = 0x34;
    static final int INTERRUPT_LINE = 0x3C;
    static final int INTERRUPT_PIN = 0x3D;
    static final int STD_HEADER_SIZE = 0x40;
    static final int CFG_SPACE_SIZE = 0x100;

    static final int BASE_ADDRESS_SPACE_IO = 0x1;
    static final int BASE_ADDRESS_MEM_TYPE_64 = 0x4;
    static final int BASE_ADDRESS_MEM_PREFETCH = 0x8;

    static final int CAP_ID_PM = 0x01;
    static final int PM_CTRL = 4;
    static final int PM_CTRL_STATE_MASK = 0x3;
    static final int PM_SIZEOF = 8;
    static final int CAP_ID_MSI = 0x05;
    static final int MSI_FLAGS = 2;
    static final int MSI_FLAGS_ENABLE = 0x1;
    static final int MSI_FLAGS_QSIZE = 0x70;
    static final int MSI_FLAGS_64BIT = 0x80;
    static final int MSI_FLAGS_MASKBIT = 0x100;
    static final int MSI_SIZEOF = 10;
    static final int MSI_SIZEOF_MASK = 20;
    static final int CAP_ID_EXP = 0x10;
    /// Up to the device's control and status; what follows depends on the version.
    static final int EXP_SIZEOF_DEVICE = 12;
    static final int EXP_DEVCTL = 8;
    static final int EXP_DEVCTL_PAYLOAD_READRQ = 0x70E0;
    static final int EXP_DEVCTL_INITIATE_FLR = 0x8000;
    static final int EXP_DEVCTL2 = 0x28;
    static final int EXP_DEVCTL2_COMP_TIMEOUT = 0x1F;
    static final int CAP_ID_MSIX = 0x11;
    static final int MSIX_FLAGS = 2;
    static final int MSIX_FLAGS_QSIZE = 0x7FF;
    static final int MSIX_FLAGS_MASKALL_ENABLE = 0xC000;
    static final int MSIX_TABLE = 4;
    static final int MSIX_PBA = 8;
    static final int MSIX_SIZEOF = 12;
    static final int MSIX_BIR = 0x7;
    static final int MSIX_ENTRY_SIZE = 16;

    private ConfigLayout() {
    }
}
