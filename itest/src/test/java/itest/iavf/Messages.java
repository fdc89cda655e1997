// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.util.List;

/** The requests' payloads, in the sizes that drivers send: lists have one element more than they count. */
final class Messages {
    private static final int QUEUE_PAIR_INFO = 64;
    private static final int VECTOR_MAP = 12;
    private static final int ETH_ADDR = 8;
    private static final int ADDR_TYPE_PRIMARY = 1;
    private static final int ADDR_TYPE_EXTRA = 2;
    private static final int RXDID_LEGACY_32 = 1;

    private Messages() {
    }

    /** {@code struct virtchnl_version_info}. */
    static Payload version() {
        return new Payload().u32(1).u32(1);
    }

    static Payload wantedCapabilities(int capabilities) {
        return new Payload().u32(capabilities);
    }

    /** {@code struct virtchnl_vsi_queue_config_info}. */
    static Payload vsiQueues(int vsi, List<QueuePair> pairs, int maxFrame) {
        var payload = new Payload().u16(vsi).u16(pairs.size()).u32(0);
        for (QueuePair pair : pairs) {
            payload.u16(vsi).u16(pair.index()).u16(pair.tx().length()).u16(0).u64(pair.tx().iova()).u64(0);
            payload.u16(vsi).u16(pair.index()).u32(pair.rx().length()).u16(0).u16(0).u32(pair.rx().bufferSize()).u32(maxFrame)
                .u8(0).u8(RXDID_LEGACY_32).u16(0).u64(pair.rx().iova()).u32(0).u32(0);
        }
        return payload.zeros(QUEUE_PAIR_INFO);
    }

    /** One {@code struct virtchnl_vector_map}. */
    record VectorMap(int vector, int rxQueues, int txQueues, int rxItr, int txItr) {
    }

    /** {@code struct virtchnl_irq_map_info}. */
    static Payload irqMap(int vsi, List<VectorMap> maps) {
        var payload = new Payload().u16(maps.size());
        for (VectorMap map : maps) {
            payload.u16(vsi).u16(map.vector()).u16(map.rxQueues()).u16(map.txQueues()).u16(map.rxItr()).u16(map.txItr());
        }
        return payload.zeros(VECTOR_MAP);
    }

    /** {@code struct virtchnl_queue_select}. */
    static Payload queues(int vsi, int rx, int tx) {
        return new Payload().u16(vsi).u16(0).u32(rx).u32(tx);
    }

    /** {@code struct virtchnl_ether_addr_list} of one. */
    static Payload address(int vsi, MacAddress address, boolean primary) {
        return new Payload().u16(vsi).u16(1).bytes(address.toBytes()).u8(primary ? ADDR_TYPE_PRIMARY : ADDR_TYPE_EXTRA).u8(0)
            .zeros(ETH_ADDR);
    }

    /** {@code struct virtchnl_vlan_filter_list} of one. */
    static Payload vlan(int vsi, int vid) {
        return new Payload().u16(vsi).u16(1).u16(vid).zeros(Short.BYTES);
    }

    /** {@code struct virtchnl_promisc_info}. */
    static Payload promiscuous(int vsi, boolean unicast, boolean multicast) {
        return new Payload().u16(vsi).u16((unicast ? 1 : 0) | (multicast ? 2 : 0));
    }

    /** {@code struct virtchnl_rss_key}. */
    static Payload rssKey(int vsi, byte[] key) {
        return new Payload().u16(vsi).u16(key.length).bytes(key).zeros(1);
    }

    /** {@code struct virtchnl_rss_lut}. */
    static Payload rssLut(int vsi, byte[] lut) {
        return new Payload().u16(vsi).u16(lut.length).bytes(lut).zeros(1);
    }
}
