// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Frames of UDP over IPv4 in many flows, which differ in one port. Each has its flow and its number within it. For one thread.
 */
public final class UdpFlows {
    /** Bytes of each frame. */
    public static final int BYTES = 128;

    private static final int IP = 14;
    private static final int UDP = IP + 20;
    private static final int DATA = UDP + 8;
    private static final int ETHERTYPE_IPV4 = 0x0800;
    private static final int PROTOCOL_UDP = 17;
    private static final int SOURCE_ADDRESS = 0xC000_0201;
    private static final int DESTINATION_ADDRESS = 0xC000_0202;
    private static final int FIRST_PORT = 0x8000;
    private static final int DESTINATION_PORT = 9;

    private final byte[] frame = new byte[BYTES];
    private final ByteBuffer fields = ByteBuffer.wrap(frame);

    public UdpFlows(MacAddress from, MacAddress to) {
        for (int i = DATA; i < BYTES; i++) {
            frame[i] = (byte) i;
        }
        fields.put(0, to.toBytes()).put(6, from.toBytes()).putShort(12, (short) ETHERTYPE_IPV4);
        fields.putShort(IP, (short) 0x4500).putShort(IP + 2, (short) (BYTES - IP)).put(IP + 8, (byte) 64).put(IP + 9, (byte) PROTOCOL_UDP);
        fields.putInt(IP + 12, SOURCE_ADDRESS).putInt(IP + 16, DESTINATION_ADDRESS);
        fields.putShort(IP + 10, (short) ~sum());
        fields.putShort(UDP + 2, (short) DESTINATION_PORT).putShort(UDP + 4, (short) (BYTES - UDP));
    }

    private int sum() {
        int sum = 0;
        for (int i = IP; i < UDP; i += Short.BYTES) {
            sum += Short.toUnsignedInt(fields.getShort(i));
        }
        return (sum & 0xFFFF) + (sum >>> Short.SIZE);
    }

    /**
     * Writes a frame of a flow.
     *
     * @return bytes
     */
    public int write(MemorySegment memory, long at, int flow, long number) {
        fields.putShort(UDP, (short) (FIRST_PORT + flow));
        fields.putLong(DATA, number);
        MemorySegment.copy(MemorySegment.ofArray(frame), 0, memory, at, BYTES);
        return BYTES;
    }

    /** The flow that a frame belongs to. */
    public int flow(MemorySegment memory, long at) {
        return Short.toUnsignedInt(Short.reverseBytes(memory.get(Le.U16, at + UDP))) - FIRST_PORT;
    }

    /** Checks that this is that frame, every byte of it. */
    public void check(MemorySegment memory, long at, int bytes, int flow, long number) {
        fields.putShort(UDP, (short) (FIRST_PORT + flow));
        fields.putLong(DATA, number);
        long difference = bytes == BYTES ? MemorySegment.mismatch(MemorySegment.ofArray(frame), 0, BYTES, memory, at, at + BYTES) : bytes;
        if (difference >= 0) {
            throw new IavfException("flow=0x%x number=0x%x length=0x%x differs at 0x%x expected=length 0x%x", flow, number, bytes,
                difference, BYTES);
        }
    }

    /** What a device hashes of a flow: addresses and ports. */
    public byte[] hashed(int flow) {
        fields.putShort(UDP, (short) (FIRST_PORT + flow));
        return Arrays.copyOfRange(frame, IP + 12, UDP + 4);
    }
}
