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

import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.core.binding.Mediator;

/// The registers of the proposal's migration region, and the states behind them.
@Timeout(60)
class MigrationRegionTest {
    private final OneDevice one = new OneDevice();
    private final MovingMediation vendor = new MovingMediation(true);
    private Mediator mediator;
    private VfioDevice device;
    private RegionUser region;
    private Migration features;

    @BeforeEach
    void open() throws VfioException {
        mediator = one.accepting("moves", context -> vendor);
        device = one.open();
        region = new RegionUser(device);
        features = device.migration().orElseThrow();
    }

    @AfterEach
    void close() {
        region.close();
        device.close();
        one.close();
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "0, 2", "0, 8", "8, 4", "16, 4", "24, 4", "32, 4", "40, 1", "48, 16", "56, 2", "1, 4", "2, 2", "4, 4", "12, 4",
        "60, 4", "63, 1", "64, 8", "0xFF8, 8", "0xFFC, 8"})
    void refusesAccessesThatAreNotAFieldAtItsWidth(String at, int width) throws VfioException {
        long offset = Long.decode(at);
        assertErrno(Errno.EINVAL, () -> region.read(offset, width));
        assertErrno(Errno.EINVAL, () -> region.write(offset, width, 3));
        assertThat(region.get(DEVICE_STATE)).isEqualTo(1);
        assertThat(vendor.asked).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {START_PFN, PAGE_SIZE, TOTAL_PFNS})
    void refusesToReadWhatIsWrittenOnly(int field) {
        assertErrno(Errno.EACCES, () -> region.get(field));
    }

    @ParameterizedTest
    @ValueSource(ints = {PENDING_BYTES, DATA_OFFSET, COPIED_PFNS})
    void refusesToWriteWhatIsReadOnly(int field) {
        assertErrno(Errno.EACCES, () -> region.set(field, 0));
    }

    @ParameterizedTest
    @ValueSource(longs = {5, 6, 7, 8, 0x10, 0x8000_0000L, 0xFFFF_FFFFL})
    void refusesStatesThatAreNone(long bits) throws VfioException {
        assertErrno(Errno.EINVAL, () -> region.set(DEVICE_STATE, bits));
        assertThat(vendor.asked).isEmpty();
        assertThat(region.get(DEVICE_STATE)).isEqualTo(1);
    }

    @Test
    void refusesAStateThatNoWayLeadsTo() throws VfioException {
        region.set(DEVICE_STATE, 2);
        vendor.asked.clear();
        assertErrno(Errno.EINVAL, () -> region.set(DEVICE_STATE, 3));
        assertThat(vendor.asked).as("nor was anything logged").isEmpty();
        assertThat(region.get(DEVICE_STATE)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"beginTracking, EBUSY", "beginPreCopy, EBUSY", "bug in beginTracking, EIO", "bug in beginPreCopy, EIO"})
    void runsOnWhenACopyCannotBegin(String failing, Errno errno) throws VfioException {
        vendor.failing = failing;
        assertErrno(errno, () -> region.set(DEVICE_STATE, 3));
        assertThat(region.get(DEVICE_STATE)).isEqualTo(1);
        vendor.failing = "";
        features.startLogging(0x1000, List.of());
        features.stopLogging();
    }

    @Test
    void readsTheStateThatAFailingStepLedTo() throws VfioException {
        vendor.failing = "save";
        assertErrno(Errno.EBUSY, () -> region.set(DEVICE_STATE, 2));
        assertThat(features.state()).isEqualTo(MigrationState.STOP);
        assertThat(region.get(DEVICE_STATE)).isZero();
        vendor.failing = "start";
        assertErrno(Errno.EBUSY, () -> region.set(DEVICE_STATE, 1));
        assertThat(region.get(DEVICE_STATE)).isZero();
        region.set(DEVICE_STATE, 0);
    }

    @Test
    void refusesWhatIsOutOfOrder() throws VfioException {
        assertThat(region.get(PENDING_BYTES)).isZero();
        assertErrno(Errno.EINVAL, () -> region.get(DATA_OFFSET));
        assertErrno(Errno.EINVAL, () -> region.get(DATA_SIZE));
        assertErrno(Errno.EINVAL, () -> region.get(COPIED_PFNS));
        assertErrno(Errno.EINVAL, () -> region.set(DATA_SIZE, 1));
        assertErrno(Errno.EINVAL, () -> region.set(PAGE_SIZE, 0x1000));
        assertErrno(Errno.EINVAL, () -> region.set(TOTAL_PFNS, 1));
        region.set(DEVICE_STATE, 2);
        assertErrno(Errno.EINVAL, () -> region.get(DATA_OFFSET));
        region.get(PENDING_BYTES);
        assertErrno(Errno.EINVAL, () -> region.get(DATA_SIZE));
        assertErrno(Errno.EINVAL, () -> region.set(DATA_SIZE, 1));
        region.set(DEVICE_STATE, 4);
        assertErrno(Errno.EINVAL, () -> region.set(DATA_SIZE, 1));
        assertErrno(Errno.EINVAL, () -> region.get(DATA_SIZE));
    }

    @Test
    void changesStateByTheShortestWay() throws VfioException {
        for (int bits : new int[] {3, 2, 0, 1, 2, 1, 3, 1, 4, 0, 4, 1}) {
            region.set(DEVICE_STATE, bits);
            assertThat(region.get(DEVICE_STATE)).isEqualTo(bits);
        }
        vendor.asked.clear();
        region.set(DEVICE_STATE, 1);
        region.set(DEVICE_STATE, 3);
        region.set(DEVICE_STATE, 3);
        region.set(DEVICE_STATE, 4);
        assertThat(vendor.asked).containsExactly("beginTracking", "beginPreCopy", "endPreCopy", "quiesce", "stop", "endTracking");
    }

    @Test
    void showsWhatTheFeaturesDid() throws VfioException {
        MigrationState[] states = {MigrationState.RUNNING_P2P, MigrationState.PRE_COPY_P2P, MigrationState.PRE_COPY,
            MigrationState.STOP_COPY, MigrationState.STOP, MigrationState.RESUMING, MigrationState.RUNNING};
        int[] bits = {1, 3, 3, 2, 0, 4, 1};
        for (int i = 0; i < bits.length; i++) {
            features.state(states[i]);
            assertThat(region.get(DEVICE_STATE)).as("%s", states[i]).isEqualTo(bits[i]);
        }
        region.set(DEVICE_STATE, 3);
        assertThat(features.state()).isEqualTo(MigrationState.PRE_COPY);
    }

    @Test
    void runsAgainAfterAReset() throws VfioException {
        region.set(DEVICE_STATE, 3);
        region.set(START_PFN, 0);
        device.reset();
        assertThat(region.get(DEVICE_STATE)).isEqualTo(1);
        assertThat(region.get(PENDING_BYTES)).isZero();
        assertErrno(Errno.EINVAL, () -> region.set(PAGE_SIZE, 0x1000));
        features.startLogging(0x1000, List.of());
    }

    @Test
    void saysWhatItIsAndWhatCanBeMapped() throws VfioException {
        RegionInfo info = device.regionInfo(REGION);
        assertThat(info.capabilities()).contains(RegionCapability.Type.MIGRATION);
        assertThat(info.flags()).containsExactlyInAnyOrder(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE, RegionInfo.Flag.MMAP);
        assertThat(info.sparseMmap().orElseThrow().areas()).containsExactly(new MmapArea(0x1000, 0x1_0000, false),
            new MmapArea(0x1_1000, 0x10_0000, false));
        assertThat(info.size()).isEqualTo(0x11_1000);
        assertErrno(Errno.EINVAL, () -> device.map(REGION, 0, 0x1000));
    }

    @Test
    void keepsItsMemoryForTheNextMediator() throws VfioException {
        try (RegionMap map = device.map(REGION, 0x1_1000, 0x1000)) {
            one.goes(mediator);
            assertErrno(Errno.EINVAL, () -> region.get(DEVICE_STATE));
            map.memory().set(ValueLayout.JAVA_BYTE, 0, (byte) 7);
        }
    }
}
