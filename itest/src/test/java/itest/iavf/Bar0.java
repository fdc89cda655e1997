// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import linux.sys.Fd;
import linux.sys.Mapping;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.user.wire.client.RegionAnswer;
import vfio.user.wire.client.VfioUserClient;

/** The registers: by messages, except for tails in pages that the server lets this client map. For one thread. */
public final class Bar0 implements AutoCloseable {
    /** Bytes of it. */
    public static final long SIZE = 0x1_0000;

    private final Doorbells doorbells;
    private VfioUserClient client;
    private List<Area> areas;
    private final MemorySegment buffer = Arena.ofAuto().allocate(Integer.BYTES);

    private record Area(MmapArea where, Mapping mapping) {
        boolean has(long offset) {
            return offset >= where.offset() && offset < where.end();
        }
    }

    private Bar0(VfioUserClient client, Doorbells doorbells, List<Area> areas) {
        this.client = client;
        this.doorbells = doorbells;
        this.areas = areas;
    }

    /** @param doorbells whether to map what can be mapped */
    static Bar0 open(VfioUserClient client, Doorbells doorbells) throws VfioException {
        return new Bar0(client, doorbells, areas(client, doorbells));
    }

    /** Goes on with the registers of another device. */
    void attach(VfioUserClient there) throws VfioException {
        List<Area> itsAreas = areas(there, doorbells);
        close();
        areas = itsAreas;
        client = there;
    }

    private static List<Area> areas(VfioUserClient client, Doorbells doorbells) throws VfioException {
        List<Area> areas = new ArrayList<>();
        try (RegionAnswer answer = client.regionInfo(RegionIndex.BAR0)) {
            if (answer.info().size() != SIZE) {
                throw new IavfException("bar0=0x%x expected=0x%x", answer.info().size(), SIZE);
            }
            if (doorbells == Doorbells.MAPPED && answer.file().isPresent()) {
                map(answer, answer.file().get(), areas);
            }
        }
        return areas;
    }

    private static void map(RegionAnswer answer, Fd file, List<Area> areas) throws VfioException {
        List<MmapArea> offered = answer.info().sparseMmap().map(RegionCapability.SparseMmap::areas)
            .orElse(List.of(new MmapArea(0, answer.info().size(), false)));
        boolean write = answer.info().flags().contains(RegionInfo.Flag.WRITE);
        boolean all = false;
        try {
            for (MmapArea area : offered) {
                areas.add(new Area(area, Mapping.of(file, answer.offset() + area.offset(), area.size(), true, write)));
            }
            all = true;
        } finally {
            if (!all) {
                areas.forEach(area -> area.mapping().close());
            }
        }
    }

    /** Whether that register is written without a message. */
    public boolean isMapped(IavfRegister register) {
        return areas.stream().anyMatch(area -> area.has(register.offset()));
    }

    Doorbell doorbell(IavfRegister register, int index) {
        long offset = register.offset(index);
        for (Area area : areas) {
            if (area.has(offset)) {
                return new Doorbell.Mapped(area.mapping().memory(), offset - area.where().offset());
            }
        }
        return new Doorbell.Posted(client, offset);
    }

    /** Reads a register by a message. */
    public int read(IavfRegister register) throws VfioException {
        return read(register, 0);
    }

    /** Reads one of an array by a message. */
    public int read(IavfRegister register, int index) throws VfioException {
        // Its monitor, as the thread that moves the machine uses the client too.
        synchronized (client) {
            client.read(RegionIndex.BAR0, register.offset(index), buffer, 0, Integer.BYTES);
        }
        return buffer.get(Le.U32, 0);
    }

    /** Writes a register by a message, and waits until that is done. */
    public void write(IavfRegister register, int value) throws VfioException {
        write(register, 0, value);
    }

    /** Writes one of an array by a message, and waits until that is done. */
    public void write(IavfRegister register, int index, int value) throws VfioException {
        buffer.set(Le.U32, 0, value);
        synchronized (client) {
            client.write(RegionIndex.BAR0, register.offset(index), buffer, 0, Integer.BYTES);
        }
    }

    @Override
    public void close() {
        areas.forEach(area -> area.mapping().close());
        areas.clear();
    }
}
