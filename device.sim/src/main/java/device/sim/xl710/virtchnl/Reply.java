// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Writes the payloads that the device sends.
final class Reply {
    /// Nothing but a status.
    static final byte[] EMPTY = new byte[0];

    private static final int RESOURCES_BYTES = 36;
    private static final int EVENT_BYTES = 16;
    private static final int STATS_BYTES = 96;
    /// `VIRTCHNL_VSI_SRIOV`.
    private static final int VSI_SRIOV = 6;
    private static final int KEY_BYTES = 52;
    private static final int TABLE_ENTRIES = 64;
    /// `VIRTCHNL_EVENT_LINK_CHANGE`.
    private static final int LINK_CHANGE = 1;
    /// `VIRTCHNL_EVENT_RESET_IMPENDING`.
    private static final int RESET_IMPENDING = 2;
    /// `PF_EVENT_SEVERITY_CERTAIN_DOOM`.
    private static final int CERTAIN_DOOM = 255;

    private Reply() {
    }

    /// `struct virtchnl_version_info`.
    static byte[] version(int major, int minor) {
        return buffer(Long.BYTES).putInt(major).putInt(minor).array();
    }

    /// `struct virtchnl_vf_resource` with one VSI. The largest frame is not limited (`max_mtu` 0).
    static byte[] resources(int vsi, int queuePairs, int vectors, int capabilities, long address) {
        ByteBuffer reply = buffer(RESOURCES_BYTES).putShort((short) 1).putShort((short) queuePairs).putShort((short) vectors)
            .putShort((short) 0).putInt(capabilities).putInt(KEY_BYTES).putInt(TABLE_ENTRIES)
            .putShort((short) vsi).putShort((short) queuePairs).putInt(VSI_SRIOV).putShort((short) 0);
        for (int shift = 40; shift >= 0; shift -= Byte.SIZE) {
            reply.put((byte) (address >>> shift));
        }
        return reply.array();
    }

    /// `struct virtchnl_eth_stats`.
    static byte[] statistics(long[] counters) {
        ByteBuffer reply = buffer(STATS_BYTES);
        for (int i = 0; i < STATS_BYTES / Long.BYTES; i++) {
            reply.putLong(counters[i]);
        }
        return reply.array();
    }

    static byte[] u16(int value) {
        return buffer(Short.BYTES).putShort((short) value).array();
    }

    static byte[] u64(long value) {
        return buffer(Long.BYTES).putLong(value).array();
    }

    /// `struct virtchnl_pf_event`: the link, with its speed in Mbit/s or as a bit.
    static byte[] linkChange(int speed, boolean up) {
        return buffer(EVENT_BYTES).putInt(LINK_CHANGE).putInt(speed).put((byte) (up ? 1 : 0)).array();
    }

    /// `struct virtchnl_pf_event`: a reset comes.
    static byte[] resetImpending() {
        return buffer(EVENT_BYTES).putInt(RESET_IMPENDING).putLong(0).putInt(CERTAIN_DOOM).array();
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
