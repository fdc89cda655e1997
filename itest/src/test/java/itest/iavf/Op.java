// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

/** {@code enum virtchnl_ops}, those that this driver sends or receives. */
public enum Op {
    VERSION(1),
    RESET_VF(2),
    GET_VF_RESOURCES(3),
    CONFIG_VSI_QUEUES(6),
    CONFIG_IRQ_MAP(7),
    ENABLE_QUEUES(8),
    DISABLE_QUEUES(9),
    ADD_ETH_ADDR(10),
    DEL_ETH_ADDR(11),
    ADD_VLAN(12),
    DEL_VLAN(13),
    CONFIG_PROMISCUOUS_MODE(14),
    GET_STATS(15),
    EVENT(17),
    CONFIG_RSS_KEY(23),
    CONFIG_RSS_LUT(24),
    GET_RSS_HENA_CAPS(25),
    SET_RSS_HENA(26),
    ENABLE_VLAN_STRIPPING(27),
    DISABLE_VLAN_STRIPPING(28),
    REQUEST_QUEUES(29);

    private final int code;

    Op(int code) {
        this.code = code;
    }

    /** Its number. */
    public int code() {
        return code;
    }
}
