// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.function.Doorbell;

/// Doorbells that a client writes in memory while the device stands still, and whose saved values a load puts over what was written: they
/// are rung again afterwards. A client's map cannot be held.
final class MappedDoorbells {
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final OpenDevice device;
    private final List<Doorbell> doorbells = new ArrayList<>();
    private final int[] last;
    private final boolean[] rung;

    /// As they are now.
    MappedDoorbells(OpenDevice device) {
        this.device = device;
        for (Doorbell doorbell : device.described().doorbells()) {
            if (doorbell.bar() <= RegionIndex.BAR5 && doorbell.width() == Integer.BYTES && inMemory(doorbell)) {
                doorbells.add(doorbell);
            }
        }
        last = new int[doorbells.size()];
        rung = new boolean[doorbells.size()];
        for (int i = 0; i < last.length; i++) {
            last[i] = read(doorbells.get(i));
        }
    }

    private boolean inMemory(Doorbell doorbell) {
        return device.described().bars().stream().filter(bar -> bar.index() == doorbell.bar())
            .flatMap(bar -> bar.memoryLike().stream())
            .anyMatch(range -> doorbell.offset() >= range.offset() && doorbell.offset() + doorbell.width() <= range.end());
    }

    private int read(Doorbell doorbell) {
        return device.barMemory(doorbell.bar()).get(U32, doorbell.offset());
    }

    /// Looks which were written since.
    void look() {
        for (int i = 0; i < last.length; i++) {
            int now = read(doorbells.get(i));
            rung[i] |= now != last[i];
            last[i] = now;
        }
    }

    /// The same for a function that came afresh, with all of them zero.
    void lookAtFresh() {
        for (int i = 0; i < last.length; i++) {
            int now = read(doorbells.get(i));
            if (now != 0) {
                rung[i] = true;
                last[i] = now;
            }
        }
    }

    /// Rings those that were written.
    ///
    /// @throws VfioException what the function answers
    void ringAgain() throws VfioException {
        MemorySegment value = Arena.ofAuto().allocate(U32);
        for (int i = 0; i < last.length; i++) {
            if (rung[i]) {
                Doorbell doorbell = doorbells.get(i);
                value.set(U32, 0, last[i]);
                device.function().writeBar(doorbell.bar(), doorbell.offset(), value, 0, Integer.BYTES);
            }
        }
    }
}
