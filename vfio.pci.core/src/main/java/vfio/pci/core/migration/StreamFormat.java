// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

/// How a device's state travels: a header, sections, and an end, all little-endian.
///
/// | part | bytes |
/// |---|---|
/// | header | magic 4, stream major 2, stream minor 2, body length 4, body, checksum 4 |
/// | its body | PCI vendor 2, device 2, state major 2, state minor 2, mediator name, count of settings 2, each a key and a value |
/// | section | tag 4, number 4, section version 2, name length 2, data length 4, name, data, checksum 4 |
/// | end | tag 4, count of sections 4, bytes before the end 8, checksum 4 |
///
/// Names, keys and values are a length of 2 and that many bytes of ASCII. A checksum is CRC-32C of the part before it, preceded by the
/// checksum of the part before that part (0 for the header), so that no part can be left out, repeated or moved.
final class StreamFormat {
    /// `VFMS` as bytes.
    static final int MAGIC = 0x534D_4656;
    /// `SECT`.
    static final int SECTION = 0x5443_4553;
    /// `END `.
    static final int END = 0x2044_4E45;
    /// A stream with a newer major version is refused.
    static final int MAJOR = 1;
    static final int MINOR = 0;

    static final int HEADER_BYTES = 12;
    static final int SECTION_BYTES = 16;
    static final int END_BYTES = 16;
    static final int CHECKSUM_BYTES = 4;
    static final int LONGEST_BODY = 0x1_0000;
    static final int MOST_SECTIONS = 0x1_0000;


    private StreamFormat() {
    }
}
