// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import vfio.pci.api.PciAddress;

/// Where a card's functions are and what they are.
///
/// @param address the physical function's
/// @param device its device id
/// @param virtualFunctions how many virtual functions are enabled
/// @param virtualDevice their device id
/// @param offset routing ids from the physical to the first virtual function
/// @param stride routing ids from one virtual function to the next
record Xl710Layout(PciAddress address, int device, int virtualFunctions, int virtualDevice, int offset, int stride) {
    private static final int LAST_ROUTING_ID = 0xFFFF;

    Xl710Layout {
        if (virtualFunctions > 0 && lastRoutingId(address, virtualFunctions, offset, stride) > LAST_ROUTING_ID) {
            throw new IllegalArgumentException("vfs=%d vf.offset=%d vf.stride=%d expected=routing ids to 0xffff from %s".formatted(
                virtualFunctions, offset, stride, address));
        }
    }

    /// Address of a virtual function: its routing id carries into the bus number.
    PciAddress virtualAddress(int index) {
        return PciAddress.ofRoutingId(address.domain(), address.routingId() + offset + index * stride);
    }

    private static int lastRoutingId(PciAddress address, int virtualFunctions, int offset, int stride) {
        return address.routingId() + offset + (virtualFunctions - 1) * stride;
    }
}
