// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import java.util.Arrays;

/// For each bit of config space: may the client write it, and is its value kept in the virtual copy or in the hardware. A bit that is
/// neither is read from the hardware and cannot be written, which is what anything unknown is.
final class PermissionTable {
    private final byte[] write;
    private final byte[] virtual;
    private final byte[] writeOneToClear;

    PermissionTable(int size) {
        write = new byte[size];
        virtual = new byte[size];
        writeOneToClear = new byte[size];
    }

    /// Kept in the virtual copy, and the client may change these bits of it.
    void virtual(int offset, int width, int writable) {
        fill(virtual, offset, width, -1);
        fill(write, offset, width, writable);
    }

    /// These bits are kept in the virtual copy and may be written; the others stay as they were.
    void virtualBits(int offset, int width, int bits) {
        or(virtual, offset, width, bits);
        or(write, offset, width, bits);
    }

    /// These bits are the hardware's and may be written.
    void through(int offset, int width, int bits) {
        or(write, offset, width, bits);
    }

    /// These bits are the hardware's, and writing a one clears them: a write must not carry ones that the client did not send.
    void throughWriteOneToClear(int offset, int width, int bits) {
        or(write, offset, width, bits);
        or(writeOneToClear, offset, width, bits);
    }

    int virtualMask(int offset) {
        return virtual[offset] & 0xFF;
    }

    int writeMask(int offset) {
        return write[offset] & 0xFF;
    }

    /// Bits of the hardware that keep their value when the client does not write them.
    int keptMask(int offset) {
        return ~writeOneToClear[offset] & 0xFF;
    }

    private static void fill(byte[] mask, int offset, int width, int bits) {
        for (int i = 0; i < width; i++) {
            mask[offset + i] = (byte) (bits >>> 8 * i);
        }
    }

    private static void or(byte[] mask, int offset, int width, int bits) {
        for (int i = 0; i < width; i++) {
            mask[offset + i] |= (byte) (bits >>> 8 * i);
        }
    }

    @Override
    public String toString() {
        return "write=" + Arrays.toString(write);
    }
}
