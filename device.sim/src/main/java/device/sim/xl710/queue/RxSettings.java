// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// A receive ring as CONFIG_VSI_QUEUES describes it.
///
/// @param base unsigned 64-bit address of the ring
/// @param length descriptors of 32 bytes
/// @param bufferSize bytes that each buffer holds
/// @param maxPacket longest frame that is delivered
/// @param rxdid format of the written-back descriptor; 0 and 1 are the legacy one
/// @param keepFcs whether the frame check sequence is delivered with the frame
public record RxSettings(long base, int length, int bufferSize, int maxPacket, int rxdid, boolean keepFcs) implements RingSettings {
    static final RxSettings NONE = new RxSettings(0, 0, 0, 0, 0, false);

    private static final int MOST_BUFFER = 16384 - 128;
    private static final int LEAST_PACKET = 64;
    private static final int MOST_PACKET = 16383;

    /// Whether the hardware takes it: a base that is a multiple of 128, a length that is a multiple of 32 up to 8160, buffers up to 16256
    /// bytes, frames of 64 to 16383, the legacy format.
    public boolean valid() {
        return RingRules.valid(base, length, 32, RxDescriptor.SIZE) && bufferSize > 0 && bufferSize <= MOST_BUFFER
            && maxPacket >= LEAST_PACKET && maxPacket <= MOST_PACKET && (rxdid == 0 || rxdid == 1);
    }
}
