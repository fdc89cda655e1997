// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;

/// What reads and writes of regions have in common. Whether the range is in the region is the device's to say.
final class RegionAccess {
    private RegionAccess() {
    }

    static int count(Exchange exchange, long count) throws VfioException {
        if (count == 0 || count > exchange.limits().dataBytes()) {
            throw Exchange.invalid("count", count, "1 to max_data_xfer_size");
        }
        return (int) count;
    }

    static long offset(long offset) throws VfioException {
        if (offset < 0) {
            throw Exchange.invalid("offset", offset, "below 2^63");
        }
        return offset;
    }

    static void put(MemorySegment segment, long at, long offset, int region, int count) {
        HostOrder.putU64(segment, at + RegionAccessLayout.OFFSET, offset);
        HostOrder.putU32(segment, at + RegionAccessLayout.REGION, region);
        HostOrder.putU32(segment, at + RegionAccessLayout.COUNT, count);
    }
}
