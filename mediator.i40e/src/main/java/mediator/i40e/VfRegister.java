// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.Range;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.mediation.Claim;

/// The registers of a virtual function that the mediation looks at, all in BAR 0. Source: `iavf_register.h` of Intel's Linux driver, whose
/// names these are.
enum VfRegister {
    /// Tail of receive queue i: hands buffers to the device, which will write them.
    QRX_TAIL1(0x2000, 16),
    /// Tail of the mailbox's receive queue: hands buffers to the device, which will write them.
    VF_ARQT1(0x7000, 1),
    /// Length and enable of that queue. A reset clears it; a driver sets it when it starts, or starts over.
    VF_ARQLEN1(0x8000, 1),
    /// How far a reset is. A driver reads it until the reset is over.
    VFGEN_RSTAT(0x8800, 1);

    /// Index of the BAR.
    static final int BAR = 0;
    /// Bit of VF_ARQLEN1: the queue is on.
    static final int ARQENABLE = 1 << 31;
    /// Bits of VFGEN_RSTAT: 0 is a reset in progress.
    static final int VFR_STATE_MASK = 3;

    /// The least size of the BAR for [#areas].
    static final long LEAST_SIZE = 0x9000;

    /// The window the proposal's sample traps for the receive tails.
    private static final Range RECEIVE_TAILS = new Range(0x2000, 0x400);

    private final int base;
    private final int count;

    VfRegister(int base, int count) {
        this.base = base;
        this.count = count;
    }

    int count() {
        return count;
    }

    int offset(int index) {
        return base + Integer.BYTES * index;
    }

    boolean overlaps(long offset, int bytes) {
        return offset < base + (long) Integer.BYTES * count && offset + bytes > base;
    }

    /// Which register of an array the offset is in; may be out of the array.
    int index(long offset) {
        return Math.floorDiv((int) offset - base, Integer.BYTES);
    }

    /// Whether exactly one of these registers is accessed as a whole.
    boolean isWhole(long offset, int bytes) {
        return bytes == Integer.BYTES && offset % Integer.BYTES == 0 && overlaps(offset, bytes);
    }

    /// What is seen at any time: the two registers by which a driver finds out about a reset. A device that was reset has forgotten its
    /// tails, so that what the mediation knows of them is void.
    static List<Claim> always() {
        return List.of(Claim.of(BAR, VF_ARQLEN1.base, Integer.BYTES), Claim.of(BAR, VFGEN_RSTAT.base, Integer.BYTES));
    }

    /// What is seen besides while writes are tracked: everything that hands memory to the device for writing.
    static List<Claim> whileTracking() {
        List<Claim> all = new ArrayList<>(always());
        all.add(new Claim(BAR, RECEIVE_TAILS));
        all.add(Claim.of(BAR, VF_ARQT1.base, Integer.BYTES));
        return all;
    }

    /// What is seen besides while descriptors are looked at: what says where rings are, too.
    static List<Claim> whileLookingAtDescriptors() {
        List<Claim> all = new ArrayList<>();
        all.add(Claim.of(BAR, VFGEN_RSTAT.base, Integer.BYTES));
        all.add(new Claim(BAR, RECEIVE_TAILS));
        for (MailboxRegister register : MailboxRegister.values()) {
            all.add(Claim.of(BAR, register.virtual(), Integer.BYTES));
        }
        return all;
    }

    /// The areas of BAR 0 that can be mapped, all of it together: those with a tail that is tracked can be switched to trapped.
    ///
    /// @param size of the BAR, at least 36 KiB
    static List<MmapArea> areas(long size) {
        return List.of(
            new MmapArea(0x0000, 0x2000, false),
            new MmapArea(0x2000, 0x1000, true),
            new MmapArea(0x3000, 0x4000, false),
            new MmapArea(0x7000, 0x1000, true),
            new MmapArea(0x8000, size - 0x8000, false));
    }
}
