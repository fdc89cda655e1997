// SPDX-License-Identifier: Apache-2.0
package itest;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;

/** Reads and writes the 32-bit registers of a device through a port of its own. For one thread at a time. */
final class Registers implements AutoCloseable {
    /** Mailbox of an XL710's VF: keeps what is written, and a client may not map it. */
    static final long VF_ARQBAH1 = 0x6000;
    /** Likewise. */
    static final long VF_ARQBAL1 = 0x6C00;
    /** Likewise. */
    static final long VF_ATQBAH1 = 0x7800;
    /** Likewise. */
    static final long VF_ATQBAL1 = 0x7C00;
    /** How far a reset is. */
    static final long VFGEN_RSTAT = 0x8800;
    /** What VFGEN_RSTAT reads on a function that works. */
    static final int VFACTIVE = 2;
    /** Hash key, outside what the test mediators claim. */
    static final long VFQF_HKEY = 0xCC00;

    private static final ValueLayout.OfInt REGISTER = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DevicePort port;
    private final MemorySegment buffer = Arena.ofAuto().allocate(REGISTER);

    Registers(VfioDevice device) throws VfioException {
        port = device.port();
    }

    /** Reads a register behind BAR 0. */
    int read(long offset) throws VfioException {
        return read(RegionIndex.BAR0, offset);
    }

    /** Reads a register of a region. */
    int read(int region, long offset) throws VfioException {
        port.read(region, offset, buffer, 0, Integer.BYTES);
        return buffer.get(REGISTER, 0);
    }

    /** Writes a register behind BAR 0. */
    void write(long offset, int value) throws VfioException {
        write(RegionIndex.BAR0, offset, value);
    }

    /** Writes a register of a region. */
    void write(int region, long offset, int value) throws VfioException {
        buffer.set(REGISTER, 0, value);
        port.write(region, offset, buffer, 0, Integer.BYTES);
    }

    @Override
    public void close() {
        port.close();
    }
}
