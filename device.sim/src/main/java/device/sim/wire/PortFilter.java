// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.util.Arrays;

/// What a port takes, as one immutable state. The arrays are sorted and not changed after.
///
/// @param defaultAddress that the host gave
/// @param addresses that the function asked for, sorted
/// @param vlans a bit for each that is taken, none for all
/// @param unicast all frames for one
/// @param multicast all frames for a group
/// @param portVlan that the host put it in, or 0
record PortFilter(long defaultAddress, long[] addresses, long[] vlans, boolean unicast, boolean multicast, int portVlan) {
    static final PortFilter NOTHING = new PortFilter(0, new long[0], new long[0], false, false, 0);

    /// Whether the address is its own.
    boolean owns(long address) {
        return address == defaultAddress || addresses.length > 0 && Arrays.binarySearch(addresses, address) >= 0;
    }

    /// Whether a frame for this address is taken, whatever its VLAN.
    boolean takesAddress(long address) {
        if ((address & Ethernet.GROUP_BIT) == 0) {
            return unicast || owns(address);
        }
        return address == Ethernet.BROADCAST || multicast || owns(address);
    }

    /// Whether a frame with this tag is taken. A frame without one, and one with a priority only, belongs to no VLAN.
    boolean takesTag(int tag) {
        int vlan = tag == Ethernet.UNTAGGED ? 0 : tag & Ethernet.VLAN_MASK;
        if (portVlan != 0) {
            return vlan == portVlan;
        }
        return vlan == 0 || vlans.length == 0 || vlan >>> 6 < vlans.length && (vlans[vlan >>> 6] & 1L << vlan) != 0;
    }

    /// The tag as the function sees it: none where the port has a VLAN of its own.
    int visible(int tag) {
        return portVlan != 0 ? Ethernet.UNTAGGED : tag;
    }
}
