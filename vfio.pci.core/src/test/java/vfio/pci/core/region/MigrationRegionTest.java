// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.mediation.DeviceState;

/// The header of the proposal's migration region; offsets and widths are those of its struct, written down anew.
class MigrationRegionTest {
    private static final int DEVICE_STATE = 0;
    private static final int START_PFN = 32;
    private static final int PAGE_SIZE = 40;
    private static final int TOTAL_PFNS = 48;
    private static final int COPIED_PFNS = 56;

    private final List<String> changes = new ArrayList<>();
    private Errno refusal;
    private final MigrationRegion region = new MigrationRegion(9, (changed, to) -> {
        changes.add(changed.state() + " to " + to);
        if (refusal != null) {
            throw new VfioException(refusal, "state=%s".formatted(to));
        }
        changed.state(to);
    });
    private final MemorySegment buffer = Arena.ofAuto().allocate(16);

    private long read(int offset, int width) throws VfioException {
        buffer.fill((byte) 0);
        region.read(Caller.NOBODY, offset, buffer, 0, width);
        return buffer.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }

    private void write(int offset, int width, long value) throws VfioException {
        buffer.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, value);
        region.write(Caller.NOBODY, offset, buffer, 0, width);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "0, 2", "0, 8", "8, 4", "16, 4", "24, 4", "32, 4", "40, 1", "48, 16", "56, 2", "1, 4", "2, 2", "4, 4", "12, 4",
        "60, 4", "63, 1"})
    void refusesAccessesThatAreNotAFieldAtItsWidth(int offset, int width) {
        assertErrno(Errno.EINVAL, () -> read(offset, width));
        assertErrno(Errno.EINVAL, () -> write(offset, width, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {START_PFN, PAGE_SIZE, TOTAL_PFNS})
    void refusesToReadWhatIsWrittenOnly(int offset) {
        assertErrno(Errno.EACCES, () -> read(offset, 8));
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, COPIED_PFNS})
    void refusesToWriteWhatIsReadOnly(int offset) {
        assertErrno(Errno.EACCES, () -> write(offset, 8, 0));
    }

    @ParameterizedTest
    @ValueSource(longs = {6, 7, 8, 0x10, 0x8000_0000L, 0xFFFF_FFFFL})
    void refusesStatesThatAreNone(long bits) throws VfioException {
        assertErrno(Errno.EINVAL, () -> write(DEVICE_STATE, 4, bits));
        assertThat(changes).isEmpty();
        assertThat(read(DEVICE_STATE, 4)).isEqualTo(1);
    }

    @Test
    void staysInItsStateWhenTheMediationRefuses() throws VfioException {
        refusal = Errno.EBUSY;
        assertErrno(Errno.EBUSY, () -> write(DEVICE_STATE, 4, 3));
        assertThat(read(DEVICE_STATE, 4)).isEqualTo(1);
    }

    @Test
    void refusesStateThatIsHandedOver() {
        assertErrno(Errno.EOPNOTSUPP, () -> write(24, 8, 0x1000));
    }

    @Test
    void changesItsState() throws VfioException {
        for (int bits : new int[] {3, 2, 0, 4, 5, 1}) {
            write(DEVICE_STATE, 4, bits);
            assertThat(read(DEVICE_STATE, 4)).isEqualTo(bits);
        }
        assertThat(changes).containsExactly("RUNNING to SAVING_RUNNING", "SAVING_RUNNING to SAVING", "SAVING to STOPPED",
            "STOPPED to RESUMING", "RESUMING to RESUMING_RUNNING", "RESUMING_RUNNING to RUNNING");
    }

    @Test
    void hasNothingPending() throws VfioException {
        assertThat(read(8, 8)).isZero();
        assertThat(read(16, 8)).as("data offset: the page after the header").isEqualTo(0x1000);
        assertThat(read(24, 8)).isZero();
    }

    @Test
    void refusesADirtyQueryWithoutPageSizeOrOutsideSaving() throws VfioException {
        assertErrno(Errno.EINVAL, () -> write(TOTAL_PFNS, 8, 1));
        write(PAGE_SIZE, 8, 0x1000);
        assertErrno(Errno.EINVAL, () -> write(TOTAL_PFNS, 8, 1));
        for (long size : new long[] {0, -1, 0x800, 0x1800, Long.MIN_VALUE + 1}) {
            assertErrno(Errno.EINVAL, () -> write(PAGE_SIZE, 8, size));
        }
    }

    @Test
    void reportsAllPagesDirty() throws VfioException {
        write(DEVICE_STATE, 4, 3);
        write(PAGE_SIZE, 8, 0x1000);
        write(START_PFN, 8, 0x100);
        write(TOTAL_PFNS, 8, 0x10);
        assertThat(read(COPIED_PFNS, 8)).isEqualTo(-1);
        write(TOTAL_PFNS, 8, 0);
        assertThat(read(COPIED_PFNS, 8)).isZero();
    }

    @Test
    void runsAgainAfterAReset() throws VfioException {
        write(DEVICE_STATE, 4, 3);
        write(PAGE_SIZE, 8, 0x1000);
        region.reset();
        assertThat(read(DEVICE_STATE, 4)).isEqualTo(DeviceState.RUNNING.bits());
        write(DEVICE_STATE, 4, 3);
        assertErrno(Errno.EINVAL, () -> write(TOTAL_PFNS, 8, 1));
    }

    @Test
    void saysWhatItIs() {
        assertThat(region.info().capabilities()).containsExactly(RegionCapability.Type.MIGRATION);
        assertThat(region.info().index()).isEqualTo(9);
        assertThat(region.info().size()).isEqualTo(64);
    }
}
