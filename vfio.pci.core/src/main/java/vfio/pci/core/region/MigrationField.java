// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The fields of the proposal's migration region header, packed, little-endian, each accessed at its native width and alignment only.
enum MigrationField {
    DEVICE_STATE(0, 4, true, true),
    PENDING_BYTES(8, 8, true, false),
    DATA_OFFSET(16, 8, true, false),
    DATA_SIZE(24, 8, true, true),
    START_PFN(32, 8, false, true),
    PAGE_SIZE(40, 8, false, true),
    TOTAL_PFNS(48, 8, false, true),
    COPIED_PFNS(56, 8, true, false);

    /// Bytes of the header.
    static final int HEADER_SIZE = 64;

    private static final MigrationField[] ALL = values();

    private final int offset;
    private final int width;
    private final boolean readable;
    private final boolean writable;

    MigrationField(int offset, int width, boolean readable, boolean writable) {
        this.offset = offset;
        this.width = width;
        this.readable = readable;
        this.writable = writable;
    }

    /// The field that an access is to.
    static MigrationField at(long offset, int count, boolean write) throws VfioException {
        for (MigrationField field : ALL) {
            if (field.offset == offset) {
                if (field.width != count) {
                    throw new VfioException(Errno.EINVAL, "field=%s count=%d expected=%d bytes".formatted(field, count, field.width));
                }
                if (write ? !field.writable : !field.readable) {
                    throw new VfioException(Errno.EACCES, "field=%s expected=a %s".formatted(field, write ? "read" : "write"));
                }
                return field;
            }
        }
        throw new VfioException(Errno.EINVAL, "offset=0x%x expected=the start of a field of the migration header".formatted(offset));
    }
}
