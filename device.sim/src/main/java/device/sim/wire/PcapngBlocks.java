// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The three blocks of a pcapng file that a recording has (draft-ietf-opsawg-pcapng, "PCAP Next Generation (pcapng) Capture File Format",
/// sections 4.1 to 4.3). The buffer has the byte order of the file; the section header says which.
final class PcapngBlocks {
    /// The most that a packet block has around its frame.
    static final int PACKET_OVERHEAD = 32 + 12 + 3;

    private static final int SECTION_HEADER = 0x0A0D0D0A;
    private static final int BYTE_ORDER_MAGIC = 0x1A2B3C4D;
    private static final int INTERFACE_DESCRIPTION = 1;
    private static final int LINKTYPE_ETHERNET = 1;
    private static final int ENHANCED_PACKET = 6;
    private static final short OPTION_END = 0;
    private static final short IF_NAME = 2;
    private static final short IF_TSRESOL = 9;
    private static final byte NANOSECONDS = 9;
    private static final short EPB_FLAGS = 2;

    private PcapngBlocks() {
    }

    static void sectionHeader(ByteBuffer out) {
        int start = begin(out, SECTION_HEADER);
        out.putInt(BYTE_ORDER_MAGIC).putShort((short) 1).putShort((short) 0).putLong(-1);
        end(out, start);
    }

    static void interfaceDescription(ByteBuffer out, String name) {
        int start = begin(out, INTERFACE_DESCRIPTION);
        // Frames are whole: no limit on their length.
        out.putShort((short) LINKTYPE_ETHERNET).putShort((short) 0).putInt(0);
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        out.putShort(IF_NAME).putShort((short) text.length).put(text);
        pad(out);
        out.putShort(IF_TSRESOL).putShort((short) 1).put(NANOSECONDS);
        pad(out);
        out.putShort(OPTION_END).putShort((short) 0);
        end(out, start);
    }

    /// @param nanos since 1970
    /// @param inbound whether the frame came in at the interface; it went out else
    static void packet(ByteBuffer out, int face, long nanos, boolean inbound, MemorySegment memory, long frame, int length) {
        int start = begin(out, ENHANCED_PACKET);
        out.putInt(face).putInt((int) (nanos >>> 32)).putInt((int) nanos).putInt(length).putInt(length);
        MemorySegment.copy(memory, frame, MemorySegment.ofBuffer(out), 0, length);
        out.position(out.position() + length);
        pad(out);
        out.putShort(EPB_FLAGS).putShort((short) 4).putInt(inbound ? 1 : 2);
        out.putShort(OPTION_END).putShort((short) 0);
        end(out, start);
    }

    private static int begin(ByteBuffer out, int type) {
        int start = out.position();
        out.putInt(type).putInt(0);
        return start;
    }

    private static void pad(ByteBuffer out) {
        while (out.position() % 4 != 0) {
            out.put((byte) 0);
        }
    }

    private static void end(ByteBuffer out, int start) {
        int length = out.position() + 4 - start;
        out.putInt(start + 4, length).putInt(length);
    }
}
