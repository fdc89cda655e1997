// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.config;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.OptionalInt;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;

/// The config space a client sees: a virtual copy over the raw one, by the permission table.
///
/// Reads take the hardware's bits and lay the kept ones over them. Writes are serialised with each other: only they and [#reset] hold the
/// write lock, and under it nothing is called but the raw config space, which never calls back.
public final class ConfigSpace {
    private final BoundFunction function;
    private final PciFunction described;
    private final int size;
    private final PermissionTable permissions;
    private final byte[] virtual;
    private final Object writeLock = new Object();
    private final MemorySegment scratch;
    private final OptionalInt expressControl;
    private final Optional<MsixTable> msix;
    /// Changes with the write lock held.
    private volatile boolean intxDisabled;

    /// Reads the raw config space and builds the table from its capabilities.
    ///
    /// @throws VfioException as the function answers
    public ConfigSpace(PciFunction described, BoundFunction function) throws VfioException {
        this.function = function;
        this.described = described;
        this.size = function.configSize();
        this.virtual = new byte[size];
        this.scratch = Arena.ofAuto().allocate(size, 8);
        byte[] raw = readRaw();
        Capabilities capabilities = Capabilities.of(raw);
        this.permissions = ConfigPermissions.of(size, described, raw, capabilities);
        this.expressControl = resettableBy(raw, capabilities.offset(ConfigLayout.CAP_ID_EXP));
        OptionalInt table = capabilities.offset(ConfigLayout.CAP_ID_MSIX);
        this.msix = table.isPresent() ? Optional.of(MsixTable.at(raw, table.getAsInt())) : Optional.empty();
        synchronized (writeLock) {
            initialiseLocked(raw);
            enableDecodingLocked();
        }
    }

    /// Where a function level reset is asked for, of a function that says it can do one.
    private static OptionalInt resettableBy(byte[] raw, OptionalInt express) {
        boolean can = express.isPresent()
            && (Capabilities.u32(raw, express.getAsInt() + ConfigLayout.EXP_DEVCAP) & ConfigLayout.EXP_DEVCAP_FLR) != 0;
        return can ? OptionalInt.of(express.getAsInt() + ConfigLayout.EXP_DEVCTL) : OptionalInt.empty();
    }

    /// Bytes: 256 or 4096.
    public int size() {
        return size;
    }

    /// Where the MSI-X table is, if there is one.
    public Optional<MsixTable> msix() {
        return msix;
    }

    /// Reads what the client sees. The caller has checked the range.
    public void read(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        function.readConfig(offset, buffer, bufferOffset, count);
        for (int i = 0; i < count; i++) {
            int at = (int) offset + i;
            int kept = permissions.virtualMask(at);
            if (kept != 0) {
                int raw = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i);
                buffer.set(ValueLayout.JAVA_BYTE, bufferOffset + i, (byte) (raw & ~kept | virtual[at] & kept));
            }
        }
    }

    /// Writes what the client may. The caller has checked the range.
    ///
    /// @return whether this asks for a function level reset, which is the caller's to do
    public boolean write(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        synchronized (writeLock) {
            boolean through = false;
            for (int i = 0; i < count; i++) {
                int at = (int) offset + i;
                int mask = permissions.writeMask(at);
                int kept = permissions.virtualMask(at);
                int value = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i);
                virtual[at] = (byte) (virtual[at] & ~(mask & kept) | value & mask & kept);
                through |= (mask & ~kept) != 0;
            }
            noteIntxLocked();
            if (through) {
                writeThroughLocked(offset, buffer, bufferOffset, count);
            }
        }
        return asksForReset(offset, buffer, bufferOffset, count);
    }

    private void writeThroughLocked(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        function.readConfig(offset, scratch, 0, count);
        for (int i = 0; i < count; i++) {
            int at = (int) offset + i;
            int mask = permissions.writeMask(at) & ~permissions.virtualMask(at);
            int value = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i);
            int raw = scratch.get(ValueLayout.JAVA_BYTE, i);
            scratch.set(ValueLayout.JAVA_BYTE, i, (byte) (raw & ~mask & permissions.keptMask(at) | value & mask));
        }
        function.writeConfig(offset, scratch, 0, count);
    }

    /// Whether the client keeps the INTx pin from signalling. The hardware's own bit is not touched: its pin is told here.
    public boolean intxDisabled() {
        return intxDisabled;
    }

    private void noteIntxLocked() {
        intxDisabled = (Capabilities.u16(virtual, ConfigLayout.COMMAND) & ConfigLayout.COMMAND_INTX_DISABLE) != 0;
    }

    private boolean asksForReset(long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (expressControl.isEmpty()) {
            return false;
        }
        long high = expressControl.getAsInt() + 1L;
        return offset <= high && high < offset + count
            && (buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + high - offset) << 8 & ConfigLayout.EXP_DEVCTL_INITIATE_FLR) != 0;
    }

    /// The function was reset: the virtual copy goes back to its initial values.
    ///
    /// @throws VfioException as the function answers
    public void reset() throws VfioException {
        synchronized (writeLock) {
            initialiseLocked(readRaw());
            enableDecodingLocked();
        }
    }

    /// The hardware decodes its BARs as long as the core drives it; what the client switches is its own copy of the bits.
    private void enableDecodingLocked() throws VfioException {
        function.readConfig(ConfigLayout.COMMAND, scratch, 0, 2);
        int low = scratch.get(ValueLayout.JAVA_BYTE, 0) | ConfigLayout.COMMAND_IO | ConfigLayout.COMMAND_MEMORY;
        scratch.set(ValueLayout.JAVA_BYTE, 0, (byte) low);
        function.writeConfig(ConfigLayout.COMMAND, scratch, 0, 2);
    }

    private byte[] readRaw() throws VfioException {
        byte[] raw = new byte[size];
        function.readConfig(0, MemorySegment.ofArray(raw), 0, size);
        return raw;
    }

    private void initialiseLocked(byte[] raw) {
        System.arraycopy(raw, 0, virtual, 0, size);
        PciId id = described.id();
        put(ConfigLayout.VENDOR_ID, 2, id.vendor());
        put(ConfigLayout.DEVICE_ID, 2, id.device());
        put(ConfigLayout.REVISION_ID, 1, id.revision());
        put(ConfigLayout.CLASS_PROG, 3, id.classCode());
        put(ConfigLayout.SUBSYSTEM_VENDOR_ID, 2, id.subsystemVendor());
        put(ConfigLayout.SUBSYSTEM_ID, 2, id.subsystem());
        put(ConfigLayout.COMMAND, 2, 0);
        noteIntxLocked();
        put(ConfigLayout.INTERRUPT_PIN, 1, described.interruptVectors().intx());
        for (int i = 0; i < 6; i++) {
            put(ConfigLayout.BASE_ADDRESS_0 + 4 * i, 4, 0);
        }
        put(ConfigLayout.ROM_ADDRESS, 4, 0);
        for (Bar bar : described.bars()) {
            if (bar.index() < Bar.ROM) {
                put(ConfigLayout.BASE_ADDRESS_0 + 4 * bar.index(), 4, ConfigPermissions.typeBits(bar));
            }
        }
    }

    private void put(int offset, int width, int value) {
        for (int i = 0; i < width; i++) {
            virtual[offset + i] = (byte) (value >>> 8 * i);
        }
    }
}
