// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.region;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;

/// The proposal's dynamic-trap-bar-info region: fields of 32 bits.
class TrapInfoRegionTest {
    private static final int DT_FD = 0;
    private static final int TRAP = 4;

    private final AtomicInteger events = new AtomicInteger();
    private final Caller caller = id -> id == 7 ? Optional.of(events::incrementAndGet) : Optional.empty();
    private final TrapInfoRegion region = new TrapInfoRegion(10, 5, 6);
    private final MemorySegment buffer = Arena.ofAuto().allocate(16);

    private int read(int offset, int width) throws VfioException {
        buffer.fill((byte) 0);
        region.read(caller, offset, buffer, 0, width);
        return buffer.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }

    private void write(Caller by, int offset, int width, int value) throws VfioException {
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, value);
        region.write(by, offset, buffer, 0, width);
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "0, 2", "0, 8", "4, 2", "2, 4", "1, 1", "5, 3", "12, 8", "22, 4"})
    void refusesAccessesThatAreNotAFieldAtItsWidth(int offset, int width) {
        assertErrno(Errno.EINVAL, () -> read(offset, width));
        assertErrno(Errno.EINVAL, () -> write(caller, offset, width, 0));
    }

    @Test
    void refusesToWriteTheState() {
        assertErrno(Errno.EACCES, () -> write(caller, TRAP, 4, 1));
    }

    @Test
    void refusesAnEventThatNobodyRegistered() throws VfioException {
        write(caller, DT_FD, 4, 7);
        assertErrno(Errno.EOPNOTSUPP, () -> write(caller, DT_FD, 4, 8));
        assertErrno(Errno.EOPNOTSUPP, () -> write(Caller.NOBODY, DT_FD, 4, 7));
        assertThat(read(DT_FD, 4)).as("the one before stays").isEqualTo(7);
    }

    @Test
    void showsTheStateAndTellsTheEvent() throws VfioException {
        assertThat(read(TRAP, 4)).isZero();
        region.show(true, 1);
        region.tell();
        assertThat(events).as("nobody has registered").hasValue(0);
        assertThat(read(TRAP, 4)).isEqualTo(1);
        write(caller, DT_FD, 4, 7);
        region.show(false, 2);
        region.tell();
        assertThat(read(TRAP, 4)).isZero();
        assertThat(events).hasValue(1);
    }

    @Test
    void takesAnEventBack() throws VfioException {
        write(caller, DT_FD, 4, 7);
        write(Caller.NOBODY, DT_FD, 4, 0);
        region.tell();
        assertThat(events).hasValue(0);
        assertThat(read(DT_FD, 4)).isZero();
    }

    @Test
    void saysWhatItIs() {
        assertThat(region.info().capabilities()).containsExactly(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
        assertThat(region.info().size()).isEqualTo(24);
    }

    @Test
    void saysWhichInterruptsTell() throws VfioException {
        assertThat(read(16, 4)).isEqualTo(5);
        assertThat(read(20, 4)).isEqualTo(6);
        assertErrno(Errno.EACCES, () -> write(caller, 16, 4, 1));
        assertErrno(Errno.EACCES, () -> write(caller, 20, 4, 1));
    }

    @Test
    void takesTheAcknowledgementOfTheGenerationNowAndOfNoOther() throws VfioException {
        AtomicInteger acknowledged = new AtomicInteger();
        Caller acting = new Caller() {
            @Override
            public Optional<Runnable> event(int id) {
                return Optional.empty();
            }

            @Override
            public void acknowledge(int generation) {
                acknowledged.set(generation);
            }

            @Override
            public int acknowledged() {
                return acknowledged.get();
            }
        };
        region.show(true, 3);
        assertThat(read(8, 4)).isEqualTo(3);
        assertErrno(Errno.EACCES, () -> write(acting, 8, 4, 3));
        assertErrno(Errno.EINVAL, () -> write(acting, 12, 4, 2));
        assertErrno(Errno.EINVAL, () -> write(acting, 12, 4, 4));
        assertThat(acknowledged).hasValue(0);
        write(acting, 12, 4, 3);
        region.read(acting, 12, buffer, 0, 4);
        assertThat(buffer.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0)).isEqualTo(3);
    }
}
