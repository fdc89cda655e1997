// SPDX-License-Identifier: Apache-2.0
package device.sim.configspace;

import java.util.List;

/// A capability, without the link to the next.
///
/// @param offset where in config space; from 0x100 on it is an extended one
/// @param id `PCI_CAP_ID_*` or `PCI_EXT_CAP_ID_*`
/// @param version of an extended capability, else 0
/// @param length bytes, header included
/// @param fields after the header, offsets from the capability's start
public record Capability(int offset, int id, int version, int length, List<Field> fields) {
    static final int EXTENDED_START = 0x100;
    static final int HEADER_END = 0x40;

    /// Checks the place and copies the list.
    public Capability {
        fields = List.copyOf(fields);
        if (offset < HEADER_END || (offset & 3) != 0 || offset < EXTENDED_START && offset + length > EXTENDED_START) {
            throw new IllegalArgumentException("capability=0x%x offset=0x%x expected=aligned, after the header".formatted(id, offset));
        }
        int header = offset < EXTENDED_START ? 2 : 4;
        for (Field field : fields) {
            if (field.offset() < header || field.offset() + field.bytes() > length) {
                throw new IllegalArgumentException("capability=0x%x field=0x%x expected=inside it".formatted(id, field.offset()));
            }
        }
    }

    boolean extended() {
        return offset >= EXTENDED_START;
    }
}
