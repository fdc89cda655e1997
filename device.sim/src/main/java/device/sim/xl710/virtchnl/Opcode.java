// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import java.util.Optional;

/// What a message asks. Names: `enum virtchnl_ops` without `VIRTCHNL_OP_`; those that are not here are answered as not supported.
enum Opcode {
    /// Agrees on the protocol's version.
    VERSION(1, 8),
    /// Resets the function; has no reply.
    RESET_VF(2, 0),
    /// What the function has and may.
    GET_VF_RESOURCES(3, 0),
    /// Sets up queue pairs.
    CONFIG_VSI_QUEUES(6, 8),
    /// Says which vector serves which queues.
    CONFIG_IRQ_MAP(7, 2),
    /// Starts queues.
    ENABLE_QUEUES(8, 12),
    /// Stops queues.
    DISABLE_QUEUES(9, 12),
    /// Takes frames for addresses.
    ADD_ETH_ADDR(10, 4),
    /// Takes them no more.
    DEL_ETH_ADDR(11, 4),
    /// Takes frames of VLANs.
    ADD_VLAN(12, 4),
    /// Takes them no more.
    DEL_VLAN(13, 4),
    /// Takes frames for anybody.
    CONFIG_PROMISCUOUS_MODE(14, 4),
    /// Counters.
    GET_STATS(15, 0),
    /// Sent by the device alone.
    EVENT(17, 0),
    /// Sets the hash key.
    CONFIG_RSS_KEY(23, 4),
    /// Sets the hash look-up table.
    CONFIG_RSS_LUT(24, 4),
    /// Which packet types can be hashed.
    GET_RSS_HENA_CAPS(25, 0),
    /// Says which packet types are hashed.
    SET_RSS_HENA(26, 8),
    /// Takes VLAN tags out of what is received.
    ENABLE_VLAN_STRIPPING(27, 0),
    /// Leaves them in.
    DISABLE_VLAN_STRIPPING(28, 0),
    /// Asks for a number of queue pairs.
    REQUEST_QUEUES(29, 2);

    private static final Opcode[] BY_NUMBER = new Opcode[30];

    static {
        for (Opcode opcode : values()) {
            BY_NUMBER[opcode.number] = opcode;
        }
    }

    private final int number;
    private final int leastLength;

    Opcode(int number, int leastLength) {
        this.number = number;
        this.leastLength = leastLength;
    }

    int number() {
        return number;
    }

    /// Bytes before a list, if there is one.
    int leastLength() {
        return leastLength;
    }

    static Optional<Opcode> of(int number) {
        return number >= 0 && number < BY_NUMBER.length ? Optional.ofNullable(BY_NUMBER[number]) : Optional.empty();
    }
}
