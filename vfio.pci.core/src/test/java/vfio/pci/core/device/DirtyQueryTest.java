// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.RegionUser.COPIED_PFNS;
import static vfio.pci.core.device.RegionUser.DATA_OFFSET;
import static vfio.pci.core.device.RegionUser.DATA_SIZE;
import static vfio.pci.core.device.RegionUser.DEVICE_STATE;
import static vfio.pci.core.device.RegionUser.PAGE_SIZE;
import static vfio.pci.core.device.RegionUser.PENDING_BYTES;
import static vfio.pci.core.device.RegionUser.REGION;
import static vfio.pci.core.device.RegionUser.START_PFN;
import static vfio.pci.core.device.RegionUser.TOTAL_PFNS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;

/// Dirty queries of the migration region. The vendor of these devices says of each answer that page 0xF is dirty.
@Timeout(60)
class DirtyQueryTest {
    private static final long PAGE = 0x1000;
    private static final int MEMORY = 0x10_0000;
    /// Pages whose bits fill the bitmap.
    private static final int CHUNK = 0x8_0000;

    private final OneDevice one = new OneDevice();
    private final MovingMediation vendor = new MovingMediation(false);
    private final Arena arena = Arena.ofShared();
    private VfioDevice device;
    private RegionUser region;
    private Migration features;
    private DmaSpace dma;

    @BeforeEach
    void open() throws VfioException {
        one.settings = new DeviceSettings(false, Duration.ofSeconds(20), 1000, 4);
        one.accepting("moves", context -> vendor);
        device = one.open();
        region = new RegionUser(device);
        features = device.migration().orElseThrow();
        dma = one.hardware.lent.dma();
        map(0);
    }

    @AfterEach
    void close() {
        region.close();
        device.close();
        one.close();
        arena.close();
    }

    private void map(long iova) throws VfioException {
        device.dmaMap(new DmaMapping(iova, MEMORY, true, true, new DmaBacking.Segment(arena.allocate(MEMORY, PAGE))));
    }

    private void write(long iova) throws VfioException {
        dma.write(iova, MemorySegment.ofArray(new byte[4]), 0, 4);
    }

    private static BitSet bits(int... set) {
        BitSet bits = new BitSet();
        for (int bit : set) {
            bits.set(bit);
        }
        return bits;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 0x800, 0x1800, Long.MIN_VALUE + 1})
    void refusesAPageSizeThatIsNone(long size) throws VfioException {
        region.set(DEVICE_STATE, 3);
        region.set(START_PFN, 0);
        assertErrno(Errno.EINVAL, () -> region.set(PAGE_SIZE, size));
        region.set(PAGE_SIZE, PAGE);
        region.set(TOTAL_PFNS, 1);
    }

    @Test
    void refusesPagesThatWrapOrAreNone() throws VfioException {
        region.set(DEVICE_STATE, 3);
        long[][] asked = {{0, 0}, {1L << 52, 1}, {(1L << 52) - 1, 2}, {-1, 1}, {0, -1}, {1, (1L << 52)}};
        for (long[] pages : asked) {
            region.set(START_PFN, pages[0]);
            region.set(PAGE_SIZE, PAGE);
            assertErrno(Errno.EINVAL, () -> region.set(TOTAL_PFNS, pages[1]));
            assertErrno(Errno.EINVAL, () -> region.get(COPIED_PFNS));
        }
        assertThat(region.ask((1L << 52) - 1, PAGE, 1)).isEqualTo(-1);
        assertThat(region.ask(0, PAGE, 1L << 52)).as("all there is, in chunks").isEqualTo(CHUNK);
    }

    @Test
    void refusesAQueryOutsideSaving() throws VfioException {
        for (int state : new int[] {1, 0, 4}) {
            region.set(DEVICE_STATE, state);
            assertErrno(Errno.EINVAL, () -> region.ask(0, PAGE, 1));
        }
    }

    @Test
    void refusesWhatIsOutOfOrder() throws VfioException {
        region.set(DEVICE_STATE, 3);
        region.ask(0, PAGE, 4);
        assertErrno(Errno.EINVAL, () -> region.set(TOTAL_PFNS, 4));
        assertErrno(Errno.EINVAL, () -> region.set(PAGE_SIZE, PAGE));
        region.set(START_PFN, 0);
        assertErrno(Errno.EINVAL, () -> region.set(TOTAL_PFNS, 4));
        assertErrno(Errno.EINVAL, () -> region.get(COPIED_PFNS));
    }

    @Test
    void saysWhatTheDeviceWrote() throws VfioException {
        write(0x2000);
        region.set(DEVICE_STATE, 3);
        write(0x4FFE);
        assertThat(region.dirty(0, PAGE, MEMORY / 0x1000)).isEqualTo(bits(4, 5, 0xF));
        assertThat(region.ask(0x10, PAGE, 0x20)).as("none").isZero();
        write(0x2_0000);
        region.set(DEVICE_STATE, 2);
        assertThat(region.dirty(0x10, PAGE, 0x80)).as("still, when it is stopped").isEqualTo(bits(0x10));
        assertThat(region.dirty(0, 4 * PAGE, MEMORY / 0x4000)).isEqualTo(bits(3));
    }

    @Test
    void answersInChunksAndLosesNothingBetweenThem() throws VfioException {
        for (long iova = 0x1000_0000; iova <= 0x1_F000_0000L; iova += 0x1_1000_0000L) {
            map(iova);
        }
        map(0x7FFF_0000L);
        region.set(DEVICE_STATE, 3);
        write(0x7FFF_F000L);
        write(0x8000_0000L);
        write(0x1_2000_3000L);
        long asked = 0x20_0000;
        assertThat(region.ask(0, PAGE, asked)).isEqualTo(CHUNK);
        assertThat(region.get(DATA_OFFSET)).isEqualTo(PAGE);
        BitSet dirty = BitSet.valueOf(region.bytes(PAGE, 0x1_0000));
        assertThat(dirty.get(0x7_FFFF)).isTrue();
        assertThat(dirty.get(0xF)).isTrue();
        assertThat(dirty.get(0x10)).isFalse();
        assertThat(dirty.get(0x100)).as("not mapped, so not logged").isTrue();
        assertThat(region.bytes(PAGE, 0x1_0008)).as("the proposal's user reads a word more").hasSize(0x1_0008);
        BitSet next = region.dirty(CHUNK, PAGE, 0x18_0000);
        assertThat(next.get(0)).isTrue();
        assertThat(next.get(1)).isFalse();
        assertThat(next.get(0x12_0003 - CHUNK)).isTrue();
    }

    @Test
    void goesOnAfterAChunkThatIsClean() throws VfioException {
        long size = 0x1_0000_0000L;
        device.dmaMap(new DmaMapping(size, size, true, true, new DmaBacking.Unreachable()));
        region.set(DEVICE_STATE, 3);
        assertThat(region.ask(0x10_0000, PAGE, 0x10_0000)).as("0 would mean that the rest is clean").isEqualTo(CHUNK);
        assertThat(BitSet.valueOf(region.bytes(region.get(DATA_OFFSET), 0x1_0000)).isEmpty()).isTrue();
        assertThat(region.ask(0x18_0000, PAGE, CHUNK)).isZero();
    }

    @Test
    void saysAllDirtyOfWhatIsNotLogged() throws VfioException {
        region.set(DEVICE_STATE, 2);
        assertThat(region.ask(0, PAGE, 16)).as("stopped at once, nothing was logged").isEqualTo(-1);
        region.set(DEVICE_STATE, 1);
        region.set(DEVICE_STATE, 3);
        assertThat(region.ask(MEMORY / 0x1000, PAGE, 1000)).isEqualTo(-1);
        map(2 * MEMORY);
        assertThat(region.ask(2 * MEMORY / 0x1000, PAGE, 1)).as("mapped since").isEqualTo(-1);
        assertThat(region.dirty(0xFC, PAGE, 8)).as("half of it").isEqualTo(bits(4, 5, 6, 7));
    }

    @Test
    void logsEveryMappingThereIs() throws VfioException {
        for (int i = 1; i <= 400; i++) {
            device.dmaMap(new DmaMapping(i * 0x1000_0000L, PAGE, true, true, new DmaBacking.Segment(arena.allocate(PAGE, PAGE))));
        }
        region.set(DEVICE_STATE, 3);
        for (int i = 1; i <= 400; i++) {
            assertThat(region.ask(i * 0x1_0000L, PAGE, 1)).as("mapping %d", i).isZero();
            write(i * 0x1000_0000L);
            assertThat(region.ask(i * 0x1_0000L, PAGE, 1)).as("mapping %d", i).isEqualTo(1);
        }
    }

    @Test
    void logsInLargerPagesWhereMuchIsMapped() throws VfioException {
        device.dmaMap(new DmaMapping(1L << 62, 1L << 62, true, true, new DmaBacking.Unreachable()));
        region.set(DEVICE_STATE, 3);
        write(0x3000);
        assertThat(region.ask(0, 1L << 40, 1)).isEqualTo(1);
        assertThat(region.ask(1L << 62 >>> 40, 1L << 40, 1)).isZero();
    }

    @Test
    void forgetsTheLogWithTheCopy() throws VfioException {
        for (int end : new int[] {1, 0, 4}) {
            region.set(DEVICE_STATE, 1);
            region.set(DEVICE_STATE, 3);
            region.set(DEVICE_STATE, 2);
            region.set(DEVICE_STATE, end);
            assertThat(vendor.asked).endsWith("endTracking");
            features.startLogging(PAGE, List.of(new IovaRange(0, PAGE)));
            features.stopLogging();
        }
    }

    @Test
    void stagesStateAndAnswersInTurn() throws VfioException {
        region.set(DEVICE_STATE, 3);
        long pending = region.get(PENDING_BYTES);
        long data = region.get(DATA_OFFSET);
        region.ask(0, PAGE, 16);
        assertThat(region.get(DATA_OFFSET)).isEqualTo(PAGE);
        assertThat(region.get(DATA_SIZE)).as("the chunk is still there").isEqualTo(pending);
        region.bytes(data, (int) pending);
        region.get(PENDING_BYTES);
        region.set(DEVICE_STATE, 2);
        assertThat(region.get(PENDING_BYTES)).isPositive();
        assertThat(region.get(DATA_OFFSET)).isEqualTo(data);
    }

    @Test
    void writesTheBitsIntoTheMappedArea() throws VfioException {
        try (RegionMap map = device.map(REGION, PAGE, 0x1_0000)) {
            map.memory().fill((byte) 0xFF);
            region.set(DEVICE_STATE, 3);
            write(0x3000);
            assertThat(region.ask(0, PAGE, 0x40)).isEqualTo(0x40);
            assertThat(map.memory().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1L << 3 | 1L << 0xF);
            map.memory().fill((byte) 0);
            assertThat(region.ask(0, PAGE, 0x10)).as("page 0xF, whatever the client wrote there").isEqualTo(0x10);
            assertThat(map.memory().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1L << 0xF);
        }
    }

    @Test
    void belongsToOneClientAndFaceAtATime() throws VfioException {
        MemorySegment bitmap = MemorySegment.ofArray(new long[16]);
        try (VfioDevice second = one.open(); RegionUser secondRegion = new RegionUser(second)) {
            region.set(DEVICE_STATE, 3);
            region.ask(0, PAGE, 4);
            write(0);
            assertErrno(Errno.EBUSY, () -> secondRegion.ask(0, PAGE, 4));
            assertErrno(Errno.EBUSY, () -> features.reportDirty(0, 4 * PAGE, PAGE, bitmap, 0));
            assertErrno(Errno.EBUSY, features::stopLogging);
            assertErrno(Errno.EBUSY, () -> region.get(COPIED_PFNS));
            assertThat(region.dirty(0, PAGE, 4)).as("nobody took it").isEqualTo(bits(0));
            region.set(START_PFN, 0);
            secondRegion.set(START_PFN, 8);
            assertErrno(Errno.EBUSY, () -> region.set(PAGE_SIZE, PAGE));
            region.set(DEVICE_STATE, 1);
            features.startLogging(PAGE, List.of(new IovaRange(0, MEMORY)));
            region.set(DEVICE_STATE, 3);
            assertErrno(Errno.EBUSY, () -> region.ask(0, PAGE, 4));
            region.set(DEVICE_STATE, 1);
            features.reportDirty(0, 4 * PAGE, PAGE, bitmap, 0);
        }
    }
}
