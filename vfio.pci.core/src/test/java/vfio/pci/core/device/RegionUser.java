// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;

/// Uses the migration region as the proposal's user does; offsets are those of its struct, written down anew.
final class RegionUser implements AutoCloseable {
    static final int REGION = RegionIndex.FIRST_SPECIFIC;
    static final int DEVICE_STATE = 0;
    static final int PENDING_BYTES = 8;
    static final int DATA_OFFSET = 16;
    static final int DATA_SIZE = 24;
    static final int START_PFN = 32;
    static final int PAGE_SIZE = 40;
    static final int TOTAL_PFNS = 48;
    static final int COPIED_PFNS = 56;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DevicePort port;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(16);

    RegionUser(VfioDevice device) throws VfioException {
        port = device.port();
    }

    long read(long offset, int width) throws VfioException {
        buffer.fill((byte) 0);
        port.read(REGION, offset, buffer, 0, width);
        return buffer.get(U64, 0);
    }

    void write(long offset, int width, long value) throws VfioException {
        buffer.set(U64, 0, value);
        port.write(REGION, offset, buffer, 0, width);
    }

    long get(int field) throws VfioException {
        return read(field, field == DEVICE_STATE ? 4 : 8);
    }

    void set(int field, long value) throws VfioException {
        write(field, field == DEVICE_STATE ? 4 : 8, value);
    }

    byte[] bytes(long offset, int count) throws VfioException {
        byte[] bytes = new byte[count];
        port.read(REGION, offset, MemorySegment.ofArray(bytes), 0, count);
        return bytes;
    }

    void put(long offset, byte[] bytes) throws VfioException {
        port.write(REGION, offset, MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    /// The saving loop, until nothing is pending.
    byte[] save() throws VfioException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (get(PENDING_BYTES) > 0) {
            long at = get(DATA_OFFSET);
            all.writeBytes(bytes(at, (int) get(DATA_SIZE)));
        }
        return all.toByteArray();
    }

    /// The resuming loop.
    void resume(byte[] state, int chunk) throws VfioException {
        for (int done = 0; done < state.length; done += chunk) {
            long at = get(DATA_OFFSET);
            int some = Math.min(chunk, state.length - done);
            put(at, Arrays.copyOfRange(state, done, done + some));
            set(DATA_SIZE, some);
        }
    }

    /// Asks once.
    long ask(long startPfn, long pageSize, long pages) throws VfioException {
        set(START_PFN, startPfn);
        set(PAGE_SIZE, pageSize);
        set(TOTAL_PFNS, pages);
        return get(COPIED_PFNS);
    }

    /// The dirty loop: numbers of the pages that are dirty, counted from the first.
    BitSet dirty(long startPfn, long pageSize, int pages) throws VfioException {
        BitSet dirty = new BitSet();
        for (int done = 0; done < pages;) {
            long copied = ask(startPfn + done, pageSize, pages - done);
            if (copied == 0) {
                return dirty;
            }
            if (copied == -1) {
                dirty.set(done, pages);
                return dirty;
            }
            BitSet some = BitSet.valueOf(bytes(get(DATA_OFFSET), (int) (copied + 63) / 64 * 8));
            int from = done;
            some.stream().forEach(bit -> dirty.set(from + bit));
            done += (int) copied;
        }
        return dirty;
    }

    @Override
    public void close() {
        port.close();
        arena.close();
    }
}
