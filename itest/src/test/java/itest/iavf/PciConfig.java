// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.user.wire.client.VfioUserClient;

/** The configuration space, as far as a driver looks at it. For one thread. */
final class PciConfig {
    private static final int VENDOR_DEVICE = 0x00;
    private static final int COMMAND = 0x04;
    private static final int COMMAND_MEMORY = 2;
    private static final int COMMAND_MASTER = 4;
    private static final int CLASS_REVISION = 0x08;
    private static final int VF_700_SERIES = 0x154C_8086;
    private static final int CLASS_ETHERNET = 0x0200_00;

    private final VfioUserClient client;
    private final MemorySegment buffer = Arena.ofAuto().allocate(Integer.BYTES);

    PciConfig(VfioUserClient client) {
        this.client = client;
    }

    void checkIdentity() throws VfioException {
        int id = read(VENDOR_DEVICE, Integer.BYTES);
        int classCode = read(CLASS_REVISION, Integer.BYTES) >>> Byte.SIZE;
        if (id != VF_700_SERIES || classCode != CLASS_ETHERNET) {
            throw new IavfException("id=0x%x class=0x%x expected=0x%x, 0x%x", id, classCode, VF_700_SERIES, CLASS_ETHERNET);
        }
    }

    /** Lets the device answer at its BARs and reach memory. */
    void enable() throws VfioException {
        int command = read(COMMAND, Short.BYTES) | COMMAND_MEMORY | COMMAND_MASTER;
        buffer.set(Le.U16, 0, (short) command);
        client.write(RegionIndex.CONFIG, COMMAND, buffer, 0, Short.BYTES);
        int back = read(COMMAND, Short.BYTES);
        if ((back & (COMMAND_MEMORY | COMMAND_MASTER)) != (COMMAND_MEMORY | COMMAND_MASTER)) {
            throw new IavfException("command=0x%x expected=0x%x", back, command);
        }
    }

    private int read(int offset, int count) throws VfioException {
        buffer.set(Le.U32, 0, 0);
        client.read(RegionIndex.CONFIG, offset, buffer, 0, count);
        return buffer.get(Le.U32, 0);
    }
}
