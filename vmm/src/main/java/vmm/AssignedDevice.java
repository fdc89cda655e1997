// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.client.DirtyPages;
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
    /// @throws VfioException EOPNOTSUPP when it cannot
    Set<MigrationFlag> flags() throws VfioException {
        synchronized (client) {
            if (!client.migration().available() || !client.dmaLogging().available()) {
                throw new VfioException(Errno.EOPNOTSUPP, "device=%s expected=one that its mediator can move".formatted(slot));
            }
            return client.migration().flags();
        }
    }

    /// Its state.
    public MigrationState state() throws VfioException {
        synchronized (client) {
            return client.migration().state();
        }
    }

    /// Has it go to a state.
    public void state(MigrationState to) throws VfioException {
        synchronized (client) {
            client.migration().state(to);
        }
    }

    /// Bytes that its state would have now.
    long stateSize() throws VfioException {
        synchronized (client) {
            return client.migration().stopCopyLength();
        }
    }

    /// Takes the next part of its state.
    ///
    /// @return bytes; 0 at the end, and while it runs when there is nothing now
    int read(byte[] part) throws VfioException {
        try {
            synchronized (client) {
                return client.migration().read(MemorySegment.ofArray(part), 0, part.length);
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
            client.migration().write(MemorySegment.ofArray(part), offset, count);
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
        List<IovaRange> ranges = memory.stream().map(ram -> new IovaRange(ram.iova(), ram.memory().byteSize())).toList();
        synchronized (client) {
            client.dmaLogging().start(Hello.PAGE, ranges);
        }
    }

    /// Ends that.
    void stopLogging() throws VfioException {
        synchronized (client) {
            client.dmaLogging().stop();
        }
    }

    /// Adds the pages it reports as written since the last report.
    void takeWritten(Ram ram, BitSet into) throws VfioException {
        long size = ram.memory().byteSize();
        for (long done = 0; done < size; done += REPORT_SPAN) {
            int first = (int) (done / Hello.PAGE);
            IovaRange range = new IovaRange(ram.iova() + done, Math.min(REPORT_SPAN, size - done));
            DirtyPages written;
            synchronized (client) {
                written = client.dmaLogging().report(range, Hello.PAGE);
            }
            written.pages().stream().forEach(page -> into.set(first + page));
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
    /// the device's state or made by the VMM anew, as its interrupts.
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
