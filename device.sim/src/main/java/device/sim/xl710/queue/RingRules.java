// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

/// Where a descriptor ring may be, and how long.
final class RingRules {
    /// Longest ring.
    static final int MOST_DESCRIPTORS = 8160;

    private static final int BASE_ALIGNMENT = 128;

    private RingRules() {
    }

    static boolean valid(long base, int length, int granule, int descriptorSize) {
        return base % BASE_ALIGNMENT == 0 && length > 0 && length <= MOST_DESCRIPTORS && length % granule == 0
            && Long.compareUnsigned(base, -((long) length * descriptorSize)) <= 0;
    }

    /// Descriptors from one position to another.
    static int distance(int from, int to, int length) {
        return to >= from ? to - from : to - from + length;
    }
}
