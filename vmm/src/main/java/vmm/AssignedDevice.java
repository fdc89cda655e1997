// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.DmaLoggingControlLayout;
import vfio.user.wire.DmaLoggingRangeLayout;
import vfio.user.wire.DmaLoggingReportLayout;
import vfio.user.wire.FeatureMigrationLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.MigDataSizeLayout;
import vfio.user.wire.MigStateLayout;
import vfio.user.wire.client.VfioUserClient;
import vmm.stream.Hello;

/// A device of a machine, over its connection to the runtime that serves it. Each call holds the client's monitor, as everybody does who
/// uses that client beside the thread that moves the machine. Methods throw what the client's do.
public final class AssignedDevice {
    /// What one report covers: its bitmap is 32 KiB.
    private static final long REPORT_SPAN = 1L << 30;
    private static final int CONFIG_BYTES = 256;
    private static final int COMMAND = 0x04;
    private static final int CLASS_REVISION = 0x08;
    private static final int HEADER_TYPE = 0x0C;
    private static final int FIRST_BAR = 0x10;
    private static final int BARS = 6;
    private static final int SUBSYSTEM = 0x2C;

    private final String slot;
    private final VfioUserClient client;

    /// @param slot its name in the machine, 1 to 64 printable characters of ASCII, the same on both sides
    /// @param client lent for as long as this is used
    public AssignedDevice(String slot, VfioUserClient client) {
        if (!slot.matches("[\\x21-\\x7E]{1,64}")) {
            throw new IllegalArgumentException("slot=%s expected=1 to 64 printable characters".formatted(slot));
        }
        this.slot = slot;
        this.client = client;
    }

    /// Its name in the machine.
    public String slot() {
        return slot;
    }

    /// Whether it can be moved, and how.
    ///
    /// @return their bits, of [vfio.pci.api.migration.MigrationFlag]
    /// @throws VfioException EOPNOTSUPP when it cannot
    long flags() throws VfioException {
        synchronized (client) {
            if (!client.features().has(DeviceFeatureLayout.MIGRATION, DeviceFeatureLayout.GET)) {
                throw new VfioException(Errno.EOPNOTSUPP, "device=%s expected=one that its mediator can move".formatted(slot));
            }
            byte[] answer = client.features().get(DeviceFeatureLayout.MIGRATION, new byte[0], FeatureMigrationLayout.BYTES);
            return HostOrder.u64(whole(answer, FeatureMigrationLayout.BYTES), FeatureMigrationLayout.FLAGS);
        }
    }

    private static MemorySegment whole(byte[] answer, int size) throws VfioException {
        if (answer.length < size) {
            throw new VfioException(Errno.EPROTO, "feature answer=0x%x expected=0x%x".formatted(answer.length, size));
        }
        return MemorySegment.ofArray(answer);
    }

    /// Its state.
    public MigrationState state() throws VfioException {
        synchronized (client) {
            byte[] answer = client.features().get(DeviceFeatureLayout.MIG_DEVICE_STATE, new byte[0], MigStateLayout.BYTES);
            long number = HostOrder.u32(whole(answer, MigStateLayout.BYTES), MigStateLayout.DEVICE_STATE);
            return MigrationState.of(number).orElseThrow(
                () -> new VfioException(Errno.EPROTO, "device=%s device_state=0x%x expected=0 to 7".formatted(slot, number)));
        }
    }

    /// Has it go to a state.
    public void state(MigrationState to) throws VfioException {
        byte[] data = new byte[MigStateLayout.BYTES];
        HostOrder.putU32(MemorySegment.ofArray(data), MigStateLayout.DEVICE_STATE, to.number());
        HostOrder.putU32(MemorySegment.ofArray(data), MigStateLayout.DATA_FD, -1);
        synchronized (client) {
            client.features().set(DeviceFeatureLayout.MIG_DEVICE_STATE, data);
        }
    }

    /// Bytes that its state would have now.
    long stateSize() throws VfioException {
        synchronized (client) {
            byte[] answer = client.features().get(DeviceFeatureLayout.MIG_DATA_SIZE, new byte[0], MigDataSizeLayout.BYTES);
            return HostOrder.u64(whole(answer, MigDataSizeLayout.BYTES), MigDataSizeLayout.STOP_COPY_LENGTH);
        }
    }

    /// Takes the next part of its state.
    ///
    /// @return bytes; 0 at the end, and while it runs when there is nothing now
    int read(byte[] part) throws VfioException {
        try {
            synchronized (client) {
                return client.features().readData(MemorySegment.ofArray(part), 0, part.length);
            }
        } catch (VfioException e) {
            if (e.errno() == Errno.ENOMSG) {
                return 0;
            }
            throw e;
        }
    }

    /// Gives it the next part of a state.
    void write(byte[] part, int offset, int count) throws VfioException {
        synchronized (client) {
            client.features().writeData(MemorySegment.ofArray(part), offset, count);
        }
    }

    /// Resets it: it runs, and nothing is saved, loaded or logged.
    void reset() throws VfioException {
        synchronized (client) {
            client.reset();
        }
    }

    /// Begins to log what it writes to these blocks.
    void startLogging(List<Ram> memory) throws VfioException {
        byte[] data = new byte[DmaLoggingControlLayout.BYTES + memory.size() * DmaLoggingRangeLayout.BYTES];
        MemorySegment segment = MemorySegment.ofArray(data);
        HostOrder.putU64(segment, DmaLoggingControlLayout.PAGE_SIZE, Hello.PAGE);
        HostOrder.putU32(segment, DmaLoggingControlLayout.NUM_RANGES, memory.size());
        for (int i = 0; i < memory.size(); i++) {
            long at = DmaLoggingControlLayout.BYTES + (long) i * DmaLoggingRangeLayout.BYTES;
            HostOrder.putU64(segment, at + DmaLoggingRangeLayout.IOVA, memory.get(i).iova());
            HostOrder.putU64(segment, at + DmaLoggingRangeLayout.LENGTH, memory.get(i).memory().byteSize());
        }
        synchronized (client) {
            client.features().set(DeviceFeatureLayout.DMA_LOGGING_START, data);
        }
    }

    /// Ends that.
    void stopLogging() throws VfioException {
        synchronized (client) {
            client.features().set(DeviceFeatureLayout.DMA_LOGGING_STOP, new byte[DmaLoggingControlLayout.BYTES]);
        }
    }

    /// Adds the pages it reports as written since the last report.
    void takeWritten(Ram ram, BitSet into) throws VfioException {
        long size = ram.memory().byteSize();
        for (long done = 0; done < size; done += REPORT_SPAN) {
            byte[] data = new byte[DmaLoggingReportLayout.BYTES];
            MemorySegment segment = MemorySegment.ofArray(data);
            long length = Math.min(REPORT_SPAN, size - done);
            HostOrder.putU64(segment, DmaLoggingReportLayout.IOVA, ram.iova() + done);
            HostOrder.putU64(segment, DmaLoggingReportLayout.LENGTH, length);
            HostOrder.putU64(segment, DmaLoggingReportLayout.PAGE_SIZE, Hello.PAGE);
            int words = (int) (length / Hello.PAGE + Long.SIZE - 1) / Long.SIZE;
            int room = DmaLoggingReportLayout.BYTES + words * Long.BYTES;
            MemorySegment answer;
            synchronized (client) {
                answer = whole(client.features().get(DeviceFeatureLayout.DMA_LOGGING_REPORT, data, room), room);
            }
            add(answer, words, (int) (done / Hello.PAGE), ram.pages(), into);
        }
    }

    private static void add(MemorySegment answer, int words, int first, int pages, BitSet into) {
        for (int i = 0; i < words; i++) {
            long bits = HostOrder.u64(answer, DmaLoggingReportLayout.BYTES + (long) i * Long.BYTES);
            for (; bits != 0; bits &= bits - 1) {
                int page = first + i * Long.SIZE + Long.numberOfTrailingZeros(bits);
                if (page < pages) {
                    into.set(page);
                }
            }
        }
    }

    /// Its configuration space.
    byte[] config() throws VfioException {
        byte[] config = new byte[CONFIG_BYTES];
        synchronized (client) {
            client.read(RegionIndex.CONFIG, 0, MemorySegment.ofArray(config), 0, CONFIG_BYTES);
        }
        return config;
    }

    /// What it is: ids, class and revision, header type, subsystem.
    byte[] identity() throws VfioException {
        MemorySegment config = MemorySegment.ofArray(config());
        byte[] identity = new byte[Hello.IDENTITY];
        int at = 0;
        for (int offset : new int[] {0, CLASS_REVISION, HEADER_TYPE, SUBSYSTEM}) {
            MemorySegment.copy(config, ValueLayout.JAVA_BYTE, offset, identity, at, Integer.BYTES);
            at += Integer.BYTES;
        }
        // Cache line and latency timer are not what it is.
        identity[Integer.BYTES * 2] = 0;
        identity[Integer.BYTES * 2 + 1] = 0;
        return identity;
    }

    /// Sets what a VMM has the device's configuration space remember: BARs and the command register, as the source had them. The rest is
    /// the
    /// device's state or made by the VMM anew, as its interrupts.
    void config(byte[] source) throws VfioException {
        if (source.length != CONFIG_BYTES) {
            throw new VfioException(Errno.EPROTO, "device=%s config=0x%x expected=0x%x".formatted(slot, source.length, CONFIG_BYTES));
        }
        MemorySegment config = MemorySegment.ofArray(source);
        synchronized (client) {
            for (int bar = 0; bar < BARS; bar++) {
                client.write(RegionIndex.CONFIG, FIRST_BAR + bar * Integer.BYTES, config, FIRST_BAR + (long) bar * Integer.BYTES,
                    Integer.BYTES);
            }
            client.write(RegionIndex.CONFIG, COMMAND, config, COMMAND, Short.BYTES);
        }
    }

    @Override
    public String toString() {
        return slot;
    }
}
