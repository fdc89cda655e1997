// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** {@code VIRTCHNL_VF_OFFLOAD_*} and {@code VIRTCHNL_VF_CAP_*}, those that this driver looks at. */
public enum Capability {
    L2(0),
    RSS_AQ(3),
    RSS_REG(4),
    WB_ON_ITR(5),
    REQ_QUEUES(6),
    ADV_LINK_SPEED(7),
    VLAN(16),
    RSS_PF(19);

    private final int bit;

    Capability(int bit) {
        this.bit = bit;
    }

    /** Whether it is among those. */
    public boolean in(int flags) {
        return (flags & 1 << bit) != 0;
    }
}
