// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.function;

/// Builds a raw config space, with capabilities in the order they are added. Offsets as in PCI Local Bus 3.0, written down anew here: the
/// core's own table must not be what it is tested by.
public final class ConfigBytes {
    /// High byte of the status register.
    public static final int STATUS_HIGH = 0x07;
    /// Its bits that are cleared by writing a one.
    public static final int STATUS_HIGH_WRITE_ONE_TO_CLEAR = 0xF9;

    private final byte[] bytes;
    private int link = 0x34;

    /// A header of type 0 with nothing in it.
    public ConfigBytes(int size) {
        bytes = new byte[size];
        put(0x00, 2, 0xFFFF);
        put(0x02, 2, 0xFFFF);
        put(0x08, 4, 0x02000002);
        put(0x2C, 4, 0x00008086);
    }

    /// Sets a little-endian value.
    public ConfigBytes put(int offset, int width, int value) {
        for (int i = 0; i < width; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
        return this;
    }

    /// Adds a capability of this id; the list ends there until another follows.
    public ConfigBytes capability(int offset, int id) {
        put(0x06, 2, 0x0010);
        put(link, 1, offset);
        put(offset, 1, id);
        link = offset + 1;
        return this;
    }

    /// Makes the last capability point to an earlier one.
    public ConfigBytes cycleTo(int offset) {
        return put(link, 1, offset);
    }

    /// Power management.
    public ConfigBytes powerManagement(int offset) {
        return capability(offset, 0x01);
    }

    /// MSI, 64 bits, 4 vectors, with mask bits.
    public ConfigBytes msi(int offset) {
        return capability(offset, 0x05).put(offset + 2, 2, 0x0184);
    }

    /// MSI-X with its table and pending bits.
    public ConfigBytes msix(int offset, int vectors, int tableBar, int table, int pendingBar, int pending) {
        return capability(offset, 0x11).put(offset + 2, 2, vectors - 1).put(offset + 4, 4, table | tableBar)
            .put(offset + 8, 4, pending | pendingBar);
    }

    /// PCI Express endpoint that can be reset by function.
    public ConfigBytes express(int offset) {
        return capability(offset, 0x10).put(offset + 2, 2, 0x0002).put(offset + 4, 4, 0x10008000);
    }

    /// The result.
    public byte[] bytes() {
        return bytes.clone();
    }
}
