// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.nio.ByteBuffer;

/**
 * What GET_VF_RESOURCES answers, {@code struct virtchnl_vf_resource} with its one VSI.
 *
 * @param queuePairs that the function has
 * @param maxVectors of interrupts, the mailbox's among them
 * @param maxMtu 0 for no bound
 * @param capabilities granted
 * @param rssKeySize bytes
 * @param rssLutSize entries
 * @param vsiId names the function in later messages
 * @param mac of the function
 */
public record VfResources(int queuePairs, int maxVectors, int maxMtu, int capabilities, int rssKeySize, int rssLutSize, int vsiId,
        MacAddress mac) {
    private static final int BYTES = 36;
    private static final int VSI_SRIOV = 6;

    static VfResources decode(AqMessage message) {
        ByteBuffer in = message.payload();
        if (in.remaining() < BYTES) {
            throw new IavfException("%s expected=at least 0x%x bytes of resources", message, BYTES);
        }
        int vsis = Short.toUnsignedInt(in.getShort());
        int pairs = Short.toUnsignedInt(in.getShort());
        int vectors = Short.toUnsignedInt(in.getShort());
        int mtu = Short.toUnsignedInt(in.getShort());
        int capabilities = in.getInt();
        int key = in.getInt();
        int lut = in.getInt();
        int vsi = Short.toUnsignedInt(in.getShort());
        int pairsOfVsi = Short.toUnsignedInt(in.getShort());
        int type = in.getInt();
        in.getShort();
        MacAddress mac = MacAddress.of(message.bytes(), in.position());
        if (vsis != 1 || type != VSI_SRIOV || pairs == 0 || pairsOfVsi != pairs || vectors < 2) {
            throw new IavfException("num_vsis=%d type=%d num_queue_pairs=%d of_vsi=%d max_vectors=%d expected=1, %d, the same, 2 or more",
                vsis, type, pairs, pairsOfVsi, vectors, VSI_SRIOV);
        }
        return new VfResources(pairs, vectors, mtu, capabilities, key, lut, vsi, mac);
    }

    /** Whether that was granted. */
    public boolean has(Capability capability) {
        return capability.in(capabilities);
    }
}
