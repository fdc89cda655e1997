// SPDX-License-Identifier: Apache-2.0
package itest;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.BitSet;
import linux.sys.Mapping;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.client.RegionAnswer;
import vfio.user.wire.client.VfioUserClient;

/**
 * Drives the migration region as the user space of the mediate-ops proposal does: its loops for saving, resuming and dirty pages, over
 * vfio-user. Offsets are those of its {@code struct vfio_device_migration_info}.
 */
final class ProposalUser implements AutoCloseable {
    static final int STOPPED = 0;
    static final int RUNNING = 1;
    static final int SAVING = 2;
    static final int RESUMING = 4;

    static final long DEVICE_STATE = 0;
    static final long PENDING_BYTES = 8;
    static final long DATA_OFFSET = 16;
    static final long DATA_SIZE = 24;
    static final long START_PFN = 32;
    static final long PAGE_SIZE = 40;
    static final long TOTAL_PFNS = 48;
    static final long COPIED_PFNS = 56;

    private static final long NONE = 0;
    private static final long ALL = -1;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LARGEST_MESSAGE = 0x10_0000;

    private final VfioUserClient client;
    private final int region;
    private final RegionInfo info;
    private final boolean mapped;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(8);

    /** @param mapped whether data and bits are read and written in the mapped file, as far as areas allow, or by messages */
    ProposalUser(VfioUserClient client, boolean mapped) throws VfioException {
        this.client = client;
        this.mapped = mapped;
        int found = -1;
        RegionInfo foundInfo = null;
        for (int index = 0; index < client.deviceInfo().regions(); index++) {
            try (RegionAnswer answer = client.regionInfo(index)) {
                if (answer.info().capabilities().contains(RegionCapability.Type.MIGRATION)) {
                    found = index;
                    foundInfo = answer.info();
                }
            }
        }
        if (foundInfo == null) {
            throw new AssertionError("the device has no migration region");
        }
        region = found;
        info = foundInfo;
    }

    RegionInfo info() {
        return info;
    }

    int state() throws VfioException {
        client.read(region, DEVICE_STATE, buffer, 0, 4);
        return buffer.get(U32, 0);
    }

    void state(int bits) throws VfioException {
        buffer.set(U32, 0, bits);
        client.write(region, DEVICE_STATE, buffer, 0, 4);
    }

    long get(long field) throws VfioException {
        client.read(region, field, buffer, 0, 8);
        return buffer.get(U64, 0);
    }

    void set(long field, long value) throws VfioException {
        buffer.set(U64, 0, value);
        client.write(region, field, buffer, 0, 8);
    }

    /** The saving loop: until nothing is pending. */
    byte[] save() throws VfioException {
        var all = new ByteArrayOutputStream();
        while (get(PENDING_BYTES) > 0) {
            long offset = get(DATA_OFFSET);
            long size = get(DATA_SIZE);
            all.writeBytes(read(offset, (int) size));
        }
        return all.toByteArray();
    }

    /** The resuming loop, a chunk of this size at a time. */
    void resume(byte[] state, int chunk) throws VfioException {
        for (int done = 0; done < state.length; done += chunk) {
            int size = Math.min(chunk, state.length - done);
            long offset = get(DATA_OFFSET);
            write(offset, state, done, size);
            set(DATA_SIZE, size);
        }
    }

    /** The dirty loop: until all pages are answered. */
    BitSet dirty(long startPfn, long pageSize, int totalPfns) throws VfioException {
        var dirty = new BitSet(totalPfns);
        int count = 0;
        while (count < totalPfns) {
            set(START_PFN, startPfn + count);
            set(PAGE_SIZE, pageSize);
            set(TOTAL_PFNS, totalPfns - count);
            long copied = get(COPIED_PFNS);
            if (copied == NONE) {
                break;
            }
            if (copied == ALL) {
                dirty.set(count, totalPfns);
                break;
            }
            BitSet bits = BitSet.valueOf(read(get(DATA_OFFSET), (int) ((copied + 63) / 64 * 8)));
            int from = count;
            bits.stream().forEach(bit -> dirty.set(from + bit));
            count += (int) copied;
        }
        return dirty;
    }

    private byte[] read(long offset, int size) throws VfioException {
        byte[] bytes = new byte[size];
        if (mapped) {
            MmapArea area = areaOf(offset, size);
            try (Mapping map = client.map(region, area.offset(), area.size())) {
                MemorySegment.copy(map.memory(), ValueLayout.JAVA_BYTE, offset - area.offset(), bytes, 0, size);
            }
            return bytes;
        }
        for (int done = 0; done < size; done += LARGEST_MESSAGE) {
            client.read(region, offset + done, MemorySegment.ofArray(bytes), done, Math.min(LARGEST_MESSAGE, size - done));
        }
        return bytes;
    }

    private void write(long offset, byte[] bytes, int from, int size) throws VfioException {
        if (mapped) {
            MmapArea area = areaOf(offset, size);
            try (Mapping map = client.map(region, area.offset(), area.size())) {
                MemorySegment.copy(bytes, from, map.memory(), ValueLayout.JAVA_BYTE, offset - area.offset(), size);
            }
            return;
        }
        client.write(region, offset, MemorySegment.ofArray(bytes), from, size);
    }

    private MmapArea areaOf(long offset, long size) {
        return info.sparseMmap().orElseThrow().areas().stream()
            .filter(area -> area.offset() <= offset && offset + size <= area.end()).findFirst()
            .orElseThrow(() -> new AssertionError("offset=0x%x size=0x%x is in no area of %s".formatted(offset, size, info)));
    }

    @Override
    public void close() {
        arena.close();
    }
}
