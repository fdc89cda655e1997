// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;

class RegionCapabilitiesTest {
    private static final RegionCapability SPARSE = new RegionCapability.SparseMmap(
        List.of(new MmapArea(0, 0x2000, false), new MmapArea(0x2000, 0x1000, true)));
    private static final RegionCapability TYPE = RegionCapability.Type.MIGRATION;

    private final MemorySegment memory = Arena.ofAuto().allocate(8192);

    @Test
    void rejectsAnOffsetOutsideTheReply() {
        put(List.of(TYPE));
        for (long first : new long[] {1, 31, 41, 48, 0xFFFFFFF8L}) {
            assertThatThrownBy(() -> RegionCapabilities.decode(memory, 0, 48, first)).isInstanceOfSatisfying(VfioException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EPROTO));
        }
    }

    @Test
    void rejectsAListThatGoesInCircles() {
        put(List.of(TYPE));
        HostOrder.putU32(memory, 32 + CapHeaderLayout.NEXT, 32);
        assertThatThrownBy(() -> RegionCapabilities.decode(memory, 0, 48, 32)).isInstanceOf(VfioException.class);
    }

    @Test
    void rejectsMoreAreasThanThereIsRoomFor() {
        put(List.of(SPARSE));
        for (long areas : new long[] {3, 0x10000000L, 0xFFFFFFFFL}) {
            HostOrder.putU32(memory, 32 + SparseMmapLayout.NR_AREAS, areas);
            assertThatThrownBy(() -> RegionCapabilities.decode(memory, 0, 80, 32)).isInstanceOf(VfioException.class);
        }
    }

    @Test
    void rejectsAreasThatAreNotPagesOrNotInOrder() {
        put(List.of(SPARSE));
        for (long offset : new long[] {0x2001, 0x1000, -0x1000, Long.MAX_VALUE & -0x1000}) {
            HostOrder.putU64(memory, 32 + 16 + 16, offset);
            assertThatThrownBy(() -> RegionCapabilities.decode(memory, 0, 80, 32)).isInstanceOf(VfioException.class);
        }
    }

    @Test
    void rejectsBitsOfAreasThatNobodyListed() {
        put(List.of(SPARSE), true);
        HostOrder.putU32(memory, 80 + CapDisablableLayout.NR_AREAS, 65);
        assertThatThrownBy(() -> RegionCapabilities.decode(memory, 0, 104, 32)).isInstanceOf(VfioException.class);
        HostOrder.putU32(memory, 80 + CapDisablableLayout.NR_AREAS, 2);
        assertThatThrownBy(() -> RegionCapabilities.decode(memory, 0, 104, 80)).isInstanceOf(VfioException.class);
    }

    @Test
    void passesOverWhatItDoesNotKnow() throws VfioException {
        put(List.of(TYPE, SPARSE));
        HostOrder.putU16(memory, 32 + CapHeaderLayout.ID, 4);
        assertThat(RegionCapabilities.decode(memory, 0, 96, 32)).containsExactly(withoutDisablable());
    }

    @Test
    void keepsTheStandardAreaAndTellsNothingMoreToAStandardClient() throws VfioException {
        int size = put(List.of(SPARSE));
        assertThat(size).isEqualTo(48);
        assertThat(bytes(size)).isEqualTo(hex("0100 0100 00000000 02000000 00000000"
            + "0000000000000000 0020000000000000 0020000000000000 0010000000000000"));
        assertThat(RegionCapabilities.decode(memory, 0, 80, 32)).containsExactly(withoutDisablable());
    }

    @Test
    void tellsWhichAreasAreDisablableToAClientThatAsked() throws VfioException {
        int size = put(List.of(SPARSE, TYPE), true);
        assertThat(size).isEqualTo(48 + 24 + 16);
        assertThat(bytes(size)).isEqualTo(hex("0100 0100 50000000 02000000 00000000"
            + "0000000000000000 0020000000000000 0020000000000000 0010000000000000"
            + "5ad1 0100 68000000 02000000 00000000 0200000000000000" + "0200 0100 00000000 03000000 01000000"));
        assertThat(RegionCapabilities.decode(memory, 0, 32 + size, 32)).containsExactly(SPARSE, TYPE);
    }

    @Test
    void carriesMoreAreasThanFitOneWord() throws VfioException {
        List<MmapArea> areas = new ArrayList<>();
        for (int i = 0; i < 130; i++) {
            areas.add(new MmapArea(i * 0x2000L, 0x1000, i % 3 == 0));
        }
        List<RegionCapability> capabilities = List.of(new RegionCapability.SparseMmap(areas), new RegionCapability.MsixMappable());
        int size = put(capabilities, true);
        assertThat(size).isEqualTo(16 + 130 * 16 + 16 + 3 * 8 + 8);
        assertThat(RegionCapabilities.decode(memory, 0, 32 + size, 32)).isEqualTo(capabilities);
    }

    private static RegionCapability withoutDisablable() {
        return new RegionCapability.SparseMmap(List.of(new MmapArea(0, 0x2000, false), new MmapArea(0x2000, 0x1000, false)));
    }

    private int put(List<RegionCapability> capabilities) {
        return put(capabilities, false);
    }

    private int put(List<RegionCapability> capabilities, boolean disablable) {
        RegionCapabilities.encode(capabilities, disablable, memory, 0);
        return RegionCapabilities.size(capabilities, disablable);
    }

    private byte[] bytes(int size) {
        return memory.asSlice(RegionInfoLayout.BYTES, size).toArray(ValueLayout.JAVA_BYTE);
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }
}
