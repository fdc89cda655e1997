// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import device.sim.wire.Ethernet;
import device.sim.wire.Port;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;

/// The messages that say which frames a function takes. Lists are bounded as those of i40e for a function that is not trusted.
final class Filters {
    /// Most addresses, the host's included (`I40E_VC_MAX_MAC_ADDR_PER_VF`).
    static final int MOST_ADDRESSES = 18;
    /// Most VLANs (`I40E_VC_MAX_VLAN_PER_VF`). VLAN 0, which is none, comes for free.
    static final int MOST_VLANS = 16;

    private static final int LIST = 4;
    private static final int ADDRESS = 8;
    private static final int PROMISC_UNICAST = 1;
    private static final int PROMISC_MULTICAST = 2;

    private final Identity identity;
    private final Port port;
    /// Whether the address was set by the host on purpose: the driver may not take another then.
    private volatile boolean fixedAddress;

    Filters(Identity identity, Port port) {
        this.identity = identity;
        this.port = port;
    }

    void fixAddress(boolean fixed) {
        fixedAddress = fixed;
    }

    boolean fixedAddress() {
        return fixedAddress;
    }

    /// ADD_ETH_ADDR (`struct virtchnl_ether_addr_list`).
    Status addAddresses(Request request) {
        int count = request.u16(2);
        if (request.u16(0) != identity.vsi() || !request.holds(LIST, count, ADDRESS)) {
            return Status.ERR_PARAM;
        }
        Set<Long> added = new HashSet<>();
        for (int i = 0; i < count; i++) {
            long address = request.address(LIST + i * ADDRESS);
            if (!allowed(address)) {
                return Status.ERR_PARAM;
            }
            // Its own address and that of all it gets anyway.
            if (address != port.defaultAddress() && address != Ethernet.BROADCAST) {
                added.add(address);
            }
        }
        Set<Long> all = new HashSet<>(port.addresses());
        all.addAll(added);
        if (all.size() >= MOST_ADDRESSES) {
            return Status.ERR_PARAM;
        }
        added.forEach(port::addAddress);
        return Status.SUCCESS;
    }

    private boolean allowed(long address) {
        boolean group = (address & Ethernet.GROUP_BIT) != 0;
        return address != 0 && (group || !fixedAddress || address == port.defaultAddress());
    }

    /// DEL_ETH_ADDR. One that is not there is gone already.
    Status deleteAddresses(Request request) {
        int count = request.u16(2);
        if (request.u16(0) != identity.vsi() || !request.holds(LIST, count, ADDRESS)) {
            return Status.ERR_PARAM;
        }
        for (int i = 0; i < count; i++) {
            port.removeAddress(request.address(LIST + i * ADDRESS));
        }
        return Status.SUCCESS;
    }

    /// ADD_VLAN and DEL_VLAN (`struct virtchnl_vlan_filter_list`).
    Status vlans(Request request, boolean add) {
        int count = request.u16(2);
        if (request.u16(0) != identity.vsi() || !request.holds(LIST, count, Short.BYTES) || port.portVlan() != 0) {
            return Status.ERR_PARAM;
        }
        BitSet named = new BitSet();
        for (int i = 0; i < count; i++) {
            int vlan = request.u16(LIST + i * Short.BYTES);
            if (vlan > Ethernet.VLAN_MASK) {
                return Status.ERR_PARAM;
            }
            named.set(vlan);
        }
        if (!add) {
            named.stream().forEach(port::removeVlan);
            return Status.SUCCESS;
        }
        BitSet all = port.vlans();
        all.or(named);
        all.clear(0);
        if (all.cardinality() > MOST_VLANS) {
            return Status.ERR_PARAM;
        }
        named.stream().forEach(port::addVlan);
        return Status.SUCCESS;
    }

    /// CONFIG_PROMISCUOUS_MODE (`struct virtchnl_promisc_info`).
    Status promiscuous(Request request) {
        if (request.u16(0) != identity.vsi()) {
            return Status.ERR_PARAM;
        }
        int flags = request.u16(2);
        port.promiscuous((flags & PROMISC_UNICAST) != 0, (flags & PROMISC_MULTICAST) != 0);
        return Status.SUCCESS;
    }
}
