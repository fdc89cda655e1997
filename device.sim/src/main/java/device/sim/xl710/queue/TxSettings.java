// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// A transmit ring as CONFIG_VSI_QUEUES describes it.
///
/// @param base unsigned 64-bit address of the ring
/// @param length descriptors of 16 bytes
public record TxSettings(long base, int length) implements RingSettings {
    static final TxSettings NONE = new TxSettings(0, 0);

    /// Whether the hardware takes it: a base that is a multiple of 128, a length that is a multiple of 8 up to 8160, no wrap.
    public boolean valid() {
        return RingRules.valid(base, length, 8, TxDescriptor.SIZE);
    }
}
