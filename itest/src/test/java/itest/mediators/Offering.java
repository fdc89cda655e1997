// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.api.mediation.Verdict;

/**
 * Adds a region of two pages, the second of them shared memory that a client may map, and an interrupt. The region's first word counts
 * the writes to it, and each write raises the interrupt. A read of VFGEN_RSTAT gets what the device below answers, with {@link #SEEN}.
 */
public final class Offering extends Mediator {
    /** Type of the region and of the interrupt. */
    public static final int TYPE = 0x77;
    /** Their subtype. */
    public static final int SUBTYPE = 1;
    /** Size of the region. */
    public static final long SIZE = 0x2000;
    /** Where the second page begins. */
    public static final long SHARED = 0x1000;
    /** Set in a VFGEN_RSTAT that came this way. */
    public static final int SEEN = 0x40;

    public Offering(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) throws VfioException {
        return Optional.of(new Offer(setting(), context));
    }

    private static final class Offer extends WatchedMediation {
        private final MediationContext context;
        private final MemorySegment memory;
        private final int region;
        private final int irq;
        private int writes;

        Offer(Setting setting, MediationContext context) throws VfioException {
            super(setting);
            this.context = context;
            SharedMemory shared = context.sharedMemory("offered", SIZE);
            this.memory = shared.memory();
            var areas = new RegionCapability.SparseMmap(List.of(new MmapArea(SHARED, SIZE - SHARED, false)));
            var type = new RegionCapability.Type(TYPE, SUBTYPE);
            Set<RegionInfo.Flag> flags = Set.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE, RegionInfo.Flag.MMAP);
            this.region = context.addRegion(SIZE, Optional.of(shared), new RegionInfo(0, SIZE, flags, List.of(type, areas)));
            this.irq = context.addIrq(1, new IrqInfo.Type(TYPE, SUBTYPE));
        }

        @Override
        Verdict onRead(int index, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            if (index == region) {
                MemorySegment.copy(memory, offset, buffer, bufferOffset, count);
                return Verdict.HANDLED;
            }
            if (offset != Answering.VFGEN_RSTAT) {
                return Verdict.PASS_THROUGH;
            }
            context.readBelow(index, offset, buffer, bufferOffset, count);
            buffer.set(Answering.REGISTER, bufferOffset, buffer.get(Answering.REGISTER, bufferOffset) | SEEN);
            return Verdict.HANDLED;
        }

        @Override
        Verdict onWrite(int index, long offset, MemorySegment buffer, long bufferOffset, int count) {
            if (index != region) {
                return Verdict.PASS_THROUGH;
            }
            if (offset >= SHARED) {
                MemorySegment.copy(buffer, bufferOffset, memory, offset, count);
            }
            memory.set(Answering.REGISTER, 0, ++writes);
            context.raise(irq, 0);
            return Verdict.HANDLED;
        }
    }
}
