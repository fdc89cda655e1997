// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.function.Bar;

/// The list of capabilities that follows `struct vfio_region_info`. Offsets in it count from the start of that structure, each capability
/// begins at a multiple of 8. A sparse-mmap list keeps its standard 16-byte areas; which of them are disablable goes into a capability of
/// its own, [CapDisablableLayout], directly behind it.
public final class RegionCapabilities {
    private static final int VERSION = 1;
    /// `VFIO_REGION_INFO_CAP_MSIX_MAPPABLE`: a header alone.
    private static final int MSIX_MAPPABLE = 3;
    /// More capabilities than a region can sensibly have; ends a list that goes in circles.
    private static final int LONGEST_LIST = 64;

    private RegionCapabilities() {
    }

    /// Bytes that [#encode] writes.
    ///
    /// @param disablable whether the client asked for [CapDisablableLayout]
    public static int size(List<RegionCapability> capabilities, boolean disablable) {
        int size = 0;
        for (RegionCapability capability : capabilities) {
            size += switch (capability) {
                case RegionCapability.SparseMmap sparse -> size(sparse, disablable);
                case RegionCapability.Type _ -> CapTypeLayout.BYTES;
                case RegionCapability.MsixMappable _ -> CapHeaderLayout.BYTES;
            };
        }
        return size;
    }

    private static int size(RegionCapability.SparseMmap sparse, boolean disablable) {
        int areas = sparse.areas().size();
        return SparseMmapLayout.BYTES + areas * SparseMmapAreaLayout.BYTES
            + (tells(sparse, disablable) ? CapDisablableLayout.BYTES + words(areas) * Long.BYTES : 0);
    }

    /// Writes the list.
    ///
    /// @param info where `struct vfio_region_info` begins; the list goes directly behind it, [#size] bytes
    public static void encode(List<RegionCapability> capabilities, boolean disablable, MemorySegment segment, long info) {
        long at = info + RegionInfoLayout.BYTES;
        long last = 0;
        for (RegionCapability capability : capabilities) {
            last = at;
            switch (capability) {
                case RegionCapability.SparseMmap sparse -> {
                    at = putSparse(sparse, segment, at);
                    if (tells(sparse, disablable)) {
                        link(segment, last, at - info);
                        last = at;
                        at = putDisablable(sparse.areas(), segment, at);
                    }
                }
                case RegionCapability.Type type -> {
                    CapTypeLayout.encode(new CapTypeLayout.CapType(CapTypeLayout.CAP_ID, VERSION, 0, Integer.toUnsignedLong(type.type()),
                        Integer.toUnsignedLong(type.subtype())), segment, at);
                    at += CapTypeLayout.BYTES;
                }
                case RegionCapability.MsixMappable _ -> {
                    CapHeaderLayout.encode(new CapHeaderLayout.CapHeader(MSIX_MAPPABLE, VERSION, 0), segment, at);
                    at += CapHeaderLayout.BYTES;
                }
            }
            link(segment, last, at - info);
        }
        if (last != 0) {
            link(segment, last, 0);
        }
    }

    /// Reads a list; capabilities unknown here are left out.
    ///
    /// @param info where `struct vfio_region_info` begins
    /// @param size bytes of that structure and its list
    /// @param first its `cap_offset`
    /// @throws VfioException EPROTO for an offset, count or number that does not fit
    public static List<RegionCapability> decode(MemorySegment segment, long info, long size, long first) throws VfioException {
        List<RegionCapability> capabilities = new ArrayList<>();
        long at = first;
        for (int n = 0; at != 0; n++) {
            if (n == LONGEST_LIST || at < RegionInfoLayout.BYTES || at > size - CapHeaderLayout.BYTES) {
                throw broken("cap_offset", at);
            }
            CapHeaderLayout.CapHeader header = CapHeaderLayout.decode(segment, info + at);
            long room = size - at;
            switch (header.id()) {
                case SparseMmapLayout.CAP_ID -> capabilities.add(new RegionCapability.SparseMmap(sparse(segment, info + at, room)));
                case CapTypeLayout.CAP_ID -> capabilities.add(type(segment, info + at, room));
                case MSIX_MAPPABLE -> capabilities.add(new RegionCapability.MsixMappable());
                case CapDisablableLayout.CAP_ID -> markDisablable(capabilities, segment, info + at, room);
                default -> { }
            }
            at = header.next();
        }
        return capabilities;
    }

    private static boolean tells(RegionCapability.SparseMmap sparse, boolean disablable) {
        return disablable && sparse.areas().stream().anyMatch(MmapArea::disablable);
    }

    private static int words(int areas) {
        return (areas + Long.SIZE - 1) / Long.SIZE;
    }

    private static void link(MemorySegment segment, long capability, long next) {
        HostOrder.putU32(segment, capability + CapHeaderLayout.NEXT, next);
    }

    private static long putSparse(RegionCapability.SparseMmap sparse, MemorySegment segment, long start) {
        SparseMmapLayout.encode(new SparseMmapLayout.SparseMmap(SparseMmapLayout.CAP_ID, VERSION, 0, sparse.areas().size(), 0), segment,
            start);
        long at = start + SparseMmapLayout.BYTES;
        for (MmapArea area : sparse.areas()) {
            SparseMmapAreaLayout.encode(new SparseMmapAreaLayout.SparseMmapArea(area.offset(), area.size()), segment, at);
            at += SparseMmapAreaLayout.BYTES;
        }
        return at;
    }

    private static long putDisablable(List<MmapArea> areas, MemorySegment segment, long start) {
        CapDisablableLayout.encode(new CapDisablableLayout.CapDisablable(CapDisablableLayout.CAP_ID, VERSION, 0, areas.size(), 0), segment,
            start);
        long at = start + CapDisablableLayout.BYTES;
        for (int word = 0; word < words(areas.size()); word++) {
            long bits = 0;
            for (int i = word * Long.SIZE; i < Math.min(areas.size(), (word + 1) * Long.SIZE); i++) {
                bits |= areas.get(i).disablable() ? 1L << i : 0;
            }
            HostOrder.putU64(segment, at, bits);
            at += Long.BYTES;
        }
        return at;
    }

    private static List<MmapArea> sparse(MemorySegment segment, long at, long room) throws VfioException {
        int count = count(segment, at, SparseMmapLayout.BYTES, SparseMmapLayout.NR_AREAS, SparseMmapAreaLayout.BYTES, room);
        List<MmapArea> areas = new ArrayList<>(count);
        long end = 0;
        for (int i = 0; i < count; i++) {
            SparseMmapAreaLayout.SparseMmapArea area = SparseMmapAreaLayout.decode(segment,
                at + SparseMmapLayout.BYTES + (long) i * SparseMmapAreaLayout.BYTES);
            if (area.offset() < end || area.size() <= 0 || area.offset() > Long.MAX_VALUE - area.size()
                || (area.offset() | area.size()) % Bar.PAGE_SIZE != 0) {
                throw broken("area offset", area.offset());
            }
            end = area.offset() + area.size();
            areas.add(new MmapArea(area.offset(), area.size(), false));
        }
        return areas;
    }

    private static RegionCapability type(MemorySegment segment, long at, long room) throws VfioException {
        if (room < CapTypeLayout.BYTES) {
            throw broken("type room", room);
        }
        CapTypeLayout.CapType type = CapTypeLayout.decode(segment, at);
        return new RegionCapability.Type((int) type.type(), (int) type.subtype());
    }

    private static void markDisablable(List<RegionCapability> capabilities, MemorySegment segment, long at, long room)
            throws VfioException {
        OptionalInt index = indexOfSparse(capabilities);
        int words = words(count(segment, at, CapDisablableLayout.BYTES, CapDisablableLayout.NR_AREAS, 0, room));
        if (index.isEmpty() || room - CapDisablableLayout.BYTES < (long) words * Long.BYTES) {
            throw broken("disablable room", room);
        }
        List<MmapArea> areas = ((RegionCapability.SparseMmap) capabilities.get(index.getAsInt())).areas();
        List<MmapArea> marked = new ArrayList<>(areas.size());
        for (int i = 0; i < areas.size(); i++) {
            long bits = i / Long.SIZE < words
                ? HostOrder.u64(segment, at + CapDisablableLayout.BYTES + (long) (i / Long.SIZE) * Long.BYTES) : 0;
            marked.add(new MmapArea(areas.get(i).offset(), areas.get(i).size(), (bits >>> i & 1) != 0));
        }
        capabilities.set(index.getAsInt(), new RegionCapability.SparseMmap(marked));
    }

    private static OptionalInt indexOfSparse(List<RegionCapability> capabilities) {
        for (int i = 0; i < capabilities.size(); i++) {
            if (capabilities.get(i) instanceof RegionCapability.SparseMmap) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    /// A count that was checked against the room it says it needs; entries of size 0 are bounded by the room in bits.
    private static int count(MemorySegment segment, long at, int head, long field, int entry, long room) throws VfioException {
        if (room < head) {
            throw broken("room", room);
        }
        long count = HostOrder.u32(segment, at + field);
        long most = entry == 0 ? (room - head) * Byte.SIZE : (room - head) / entry;
        if (count > most) {
            throw broken("nr_areas", count);
        }
        return (int) count;
    }

    private static VfioException broken(String what, long value) {
        return new VfioException(Errno.EPROTO, "region capabilities: %s=0x%x expected=within the reply".formatted(what, value));
    }
}
