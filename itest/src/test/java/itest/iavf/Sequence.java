// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** Whose order of steps a driver keeps to. */
public enum Sequence {
    /** Rx tails first, one CONFIG_VSI_QUEUES, a vector for each pair, all queues enabled by one message. */
    LINUX(0xBEBD_8CF9),
    /** CONFIG_VSI_QUEUES before the interrupts, all Rx queues on one vector, tails and ENABLE_QUEUES for each queue by itself. */
    DPDK(0xBE0B_C6E1);

    private final int wanted;

    Sequence(int wanted) {
        this.wanted = wanted;
    }

    /** The capabilities it asks for. */
    int wanted() {
        return wanted;
    }
}
