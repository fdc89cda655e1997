// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import linux.sys.Proc;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;

@Timeout(60)
class DmaMapTest {
    private static final Object CLIENT = "client";
    private static final Object OTHER = "other client";
    private static final long TOP = 0xFFFF_FFFF_FFFF_F000L;

    private final DmaMap map = new DmaMap(8);
    private final MemorySegment buffer = Arena.ofAuto().allocate(0x4000);

    private static MemorySegment memory(long size, int fill) {
        return Arena.ofAuto().allocate(size).fill((byte) fill);
    }

    private static DmaMapping segment(long iova, MemorySegment memory) {
        return new DmaMapping(iova, memory.byteSize(), true, true, new DmaBacking.Segment(memory));
    }

    private static DmaMapping file(Fd fd, long iova, long offset, long size) {
        return new DmaMapping(iova, size, true, true, new DmaBacking.File(fd, offset));
    }

    /// The call fails, and the descriptor that was handed over is closed.
    private static void assertRefusedAndClosed(Errno errno, ThrowingCallable call) {
        int before = Proc.openDescriptors();
        assertErrno(errno, call);
        assertThat(Proc.openDescriptors()).isEqualTo(before);
    }

    private static Fd guest(long size) throws VfioException {
        return Memfd.create("guest", size, true);
    }

    @Test
    void refusesOverlapsAndClosesTheFile() throws VfioException {
        map.map(CLIENT, segment(0x10000, memory(0x2000, 0)));
        for (long iova : new long[] {0x10000, 0x11000, 0xF000}) {
            assertRefusedAndClosed(Errno.EEXIST, () -> map.map(OTHER, file(guest(0x2000), iova, 0, 0x2000)));
        }
        assertErrno(Errno.EEXIST, () -> map.map(CLIENT, segment(0x11FFF, memory(1, 0))));
        assertErrno(Errno.EEXIST, () -> map.map(CLIENT, segment(0, memory(0x20000, 0))));
        assertErrno(Errno.EEXIST, () -> map.map(CLIENT, new DmaMapping(0x10000, 1, false, false, new DmaBacking.Unreachable())));
        assertThat(map.size()).isEqualTo(1);
        map.map(CLIENT, segment(0xF000, memory(0x1000, 0)));
        map.map(CLIENT, segment(0x12000, memory(0x1000, 0)));
        assertThat(map.size()).isEqualTo(3);
    }

    @Test
    void refusesAFileThatIsTooShortOrABadOffsetAndClosesIt() {
        assertRefusedAndClosed(Errno.EINVAL, () -> map.map(CLIENT, file(guest(0x1000), 0, 0, 0x1001)));
        assertRefusedAndClosed(Errno.EINVAL, () -> map.map(CLIENT, file(guest(0x1000), 0, 0x1000, 0x1000)));
        assertRefusedAndClosed(Errno.EINVAL, () -> map.map(CLIENT, file(guest(0x2000), 0, 0x800, 0x1000)));
        assertRefusedAndClosed(Errno.EINVAL, () -> map.map(CLIENT, file(guest(0x2000), 0, -0x1000, 0x1000)));
        assertRefusedAndClosed(Errno.EINVAL, () -> map.map(CLIENT, file(guest(0x2000), 0, Long.MIN_VALUE, 0x1000)));
        assertRefusedAndClosed(Errno.EINVAL, () -> map.map(CLIENT, file(guest(0x2000), 0, 0, Long.MAX_VALUE)));
        assertThat(map.size()).isZero();
    }

    @Test
    void refusesMemoryThatMayNotBeWritten() {
        assertErrno(Errno.EACCES, () -> map.map(CLIENT, segment(0, memory(0x1000, 0).asReadOnly())));
        assertErrno(Errno.EINVAL, () -> map.map(CLIENT,
            new DmaMapping(0, 0x1000, true, true, new DmaBacking.Segment(memory(0x800, 0)))));
    }

    @Test
    void refusesMoreThanTheLimitAndClosesTheFile() throws VfioException {
        for (int i = 0; i < 8; i++) {
            map.map(CLIENT, segment(0x1000L * i, memory(0x1000, i)));
        }
        assertRefusedAndClosed(Errno.ENOSPC, () -> map.map(CLIENT, file(guest(0x1000), 0x100000, 0, 0x1000)));
        map.unmap(CLIENT, 0x3000, 0x1000);
        map.map(CLIENT, segment(0x100000, memory(0x1000, 0)));
        assertThat(map.size()).isEqualTo(8);
    }

    @Test
    void refusesMoreFilesThanTheProcessMayMapAndClosesTheFile() throws VfioException {
        MappedFiles files = new MappedFiles(3);
        DmaMap first = new DmaMap(8, files);
        DmaMap second = new DmaMap(8, files);
        first.map(CLIENT, file(guest(0x1000), 0, 0, 0x1000));
        second.map(CLIENT, file(guest(0x1000), 0, 0, 0x1000));
        second.map(CLIENT, file(guest(0x1000), 0x1000, 0, 0x1000));
        assertRefusedAndClosed(Errno.ENOSPC, () -> first.map(CLIENT, file(guest(0x1000), 0x1000, 0, 0x1000)));
        assertRefusedAndClosed(Errno.ENOSPC, () -> second.map(CLIENT, file(guest(0x1000), 0x2000, 0, 0x1000)));
        first.map(CLIENT, segment(0x1000, memory(0x1000, 0)));
        second.unmap(CLIENT, 0x1000, 0x1000);
        assertRefusedAndClosed(Errno.EEXIST, () -> first.map(CLIENT, file(guest(0x1000), 0, 0, 0x1000)));
        assertRefusedAndClosed(Errno.EINVAL, () -> first.map(CLIENT, file(guest(0x1000), 0x8000, 0x1000, 0x1000)));
        first.map(CLIENT, file(guest(0x1000), 0x2000, 0, 0x1000));
        first.unmapAll(CLIENT);
        second.unmapAll(CLIENT);
        for (long i = 0; i < 3; i++) {
            first.map(CLIENT, file(guest(0x1000), i << 12, 0, 0x1000));
        }
        first.unmapAll(CLIENT);
    }

    @Test
    void leavesTheProcessEnoughMappingsOfItsOwn() {
        assertThat(MappedFiles.OF_THIS_PROCESS.most()).isBetween(1_000, Integer.MAX_VALUE / 2);
    }

    @Test
    void refusesToCutAMapping() throws VfioException {
        map.map(CLIENT, segment(0x10000, memory(0x2000, 0)));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 0x10000, 0x1000));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 0x11000, 0x1000));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 0x10001, 0x8000));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 0, 0x10001));
        map.map(CLIENT, segment(0x8000, memory(0x1000, 0)));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 0, 0x11000));
        assertThat(map.size()).as("none is taken if one is cut").isEqualTo(2);
    }

    @Test
    void refusesToUnmapAnEmptyRangeOrOneThatWraps() {
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 0x1000, 0));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, -1, 2));
        assertErrno(Errno.EINVAL, () -> map.unmap(CLIENT, 2, -1));
    }

    @Test
    void unmapsAllWholeMappingsInARange() throws VfioException {
        map.map(CLIENT, segment(0x10000, memory(0x2000, 0)));
        map.map(CLIENT, segment(0x12000, memory(0x1000, 0)));
        map.map(OTHER, segment(0x14000, memory(0x1000, 0)));
        map.map(CLIENT, segment(TOP, memory(0x1000, 0)));
        map.unmap(CLIENT, 0x20000, 0x1000);
        map.unmap(OTHER, 0x10000, 0x2000);
        assertThat(map.size()).as("nothing of theirs there").isEqualTo(4);
        map.unmap(CLIENT, 0x8000, 0x10000);
        assertErrno(Errno.EFAULT, () -> map.read(0x10000, buffer, 0, 1));
        assertErrno(Errno.EFAULT, () -> map.read(0x12000, buffer, 0, 1));
        map.read(0x14000, buffer, 0, 1);
        map.unmap(CLIENT, 0x8000_0000_0000_0000L, 0x8000_0000_0000_0000L);
        assertThat(map.size()).isEqualTo(1);
    }

    @Test
    void unmapsAllOfOneClientOnly() throws VfioException {
        int before = Proc.openDescriptors();
        for (int i = 0; i < 4; i++) {
            map.map(CLIENT, file(guest(0x1000), 0x2000L * i, 0, 0x1000));
            map.map(OTHER, file(guest(0x1000), 0x2000L * i + 0x1000, 0, 0x1000));
        }
        assertThat(Proc.openDescriptors()).as("a mapping needs no descriptor").isEqualTo(before);
        map.unmapAll(CLIENT);
        map.unmapAll(CLIENT);
        assertThat(map.size()).isEqualTo(4);
        map.read(0x1000, buffer, 0, 0x1000);
        assertErrno(Errno.EFAULT, () -> map.read(0x2000, buffer, 0, 1));
        map.unmapAll(OTHER);
        assertThat(map.size()).isZero();
    }

    @Test
    void faultsWhereNothingIsMapped() throws VfioException {
        map.map(CLIENT, segment(0x1000, memory(0x1000, 0)));
        assertErrno(Errno.EFAULT, () -> map.read(0, buffer, 0, 1));
        assertErrno(Errno.EFAULT, () -> map.read(0xFFF, buffer, 0, 2));
        assertErrno(Errno.EFAULT, () -> map.read(0x1FFF, buffer, 0, 2));
        assertErrno(Errno.EFAULT, () -> map.write(0x2000, buffer, 0, 1));
        assertErrno(Errno.EFAULT, () -> map.write(-1, buffer, 0, 1));
        assertThat(map.faults()).isEqualTo(5);
        assertThat(map.bytesRead()).isZero();
        map.read(0, buffer, 0, 0);
    }

    @Test
    void faultsAtMemoryThatCannotBeReached() throws VfioException {
        map.map(CLIENT, new DmaMapping(0x1000, 0x1000, true, true, new DmaBacking.Unreachable()));
        assertErrno(Errno.EFAULT, () -> map.read(0x1000, buffer, 0, 4));
        assertErrno(Errno.EFAULT, () -> map.write(0x1000, buffer, 0, 4));
        map.unmap(CLIENT, 0x1000, 0x1000);
    }

    @Test
    void keepsToThePermissions() throws VfioException {
        map.map(CLIENT, new DmaMapping(0x1000, 0x1000, true, false, new DmaBacking.File(guest(0x1000), 0)));
        map.map(CLIENT, new DmaMapping(0x2000, 0x1000, false, true, new DmaBacking.File(guest(0x1000), 0)));
        map.map(CLIENT, new DmaMapping(0x3000, 0x1000, false, false, new DmaBacking.File(guest(0x1000), 0)));
        map.read(0x1000, buffer, 0, 4);
        assertErrno(Errno.EACCES, () -> map.write(0x1000, buffer, 0, 4));
        map.write(0x2000, buffer, 0, 4);
        assertErrno(Errno.EACCES, () -> map.read(0x2000, buffer, 0, 4));
        assertErrno(Errno.EACCES, () -> map.read(0x3000, buffer, 0, 4));
        assertErrno(Errno.EACCES, () -> map.write(0x3000, buffer, 0, 4));
        map.unmapAll(CLIENT);
    }

    @Test
    void refusesTransfersOutsideTheBuffer() throws VfioException {
        map.map(CLIENT, segment(0x1000, memory(0x8000, 0)));
        assertThatThrownBy(() -> map.read(0x1000, buffer, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> map.read(0x1000, buffer, 0x3FFF, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> map.write(0x1000, buffer, 0, Long.MIN_VALUE)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(map.bytesRead() + map.bytesWritten()).isZero();
        map.unmap(CLIENT, 0x1000, 0x8000);
    }

    @Test
    void crossesMappingsThatFollowOnEachOther() throws VfioException {
        MemorySegment first = memory(0x1000, 1);
        MemorySegment second = memory(0x1000, 2);
        MemorySegment third = memory(0x1000, 3);
        map.map(CLIENT, segment(0x3000, third));
        map.map(CLIENT, segment(0x1000, first));
        map.map(OTHER, segment(0x2000, second));
        map.read(0x1FFE, buffer, 0x10, 0x1004);
        assertThat(buffer.asSlice(0x10, 3).toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 1, 2);
        assertThat(buffer.asSlice(0x1010, 4).toArray(ValueLayout.JAVA_BYTE)).containsExactly(2, 2, 3, 3);
        map.write(0x1FFF, memory(0x1002, 9), 0, 0x1002);
        assertThat(first.get(ValueLayout.JAVA_BYTE, 0xFFF)).isEqualTo((byte) 9);
        assertThat(first.get(ValueLayout.JAVA_BYTE, 0xFFE)).isEqualTo((byte) 1);
        assertThat(third.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 9);
        assertThat(third.get(ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 3);
        assertThat(map.bytesRead()).isEqualTo(0x1004);
        assertThat(map.bytesWritten()).isEqualTo(0x1002);
    }

    @Test
    void leavesDoneWhatCameBeforeAFault() throws VfioException {
        MemorySegment first = memory(0x1000, 1);
        map.map(CLIENT, segment(0x1000, first));
        assertErrno(Errno.EFAULT, () -> map.write(0x1FFF, memory(2, 9), 0, 2));
        assertThat(first.get(ValueLayout.JAVA_BYTE, 0xFFF)).isEqualTo((byte) 9);
    }

    @Test
    void takesAddressesAsUnsigned() throws VfioException {
        MemorySegment low = memory(0x1000, 1);
        MemorySegment high = memory(0x1000, 2);
        MemorySegment top = memory(0x1000, 3);
        map.map(CLIENT, segment(TOP, top));
        map.map(CLIENT, segment(0x8000_0000_0000_0000L, high));
        map.map(CLIENT, segment(0, low));
        map.map(CLIENT, segment(0x7FFF_FFFF_FFFF_F000L, memory(0x1000, 4)));
        map.read(0x7FFF_FFFF_FFFF_FFFFL, buffer, 0, 2);
        assertThat(buffer.asSlice(0, 2).toArray(ValueLayout.JAVA_BYTE)).containsExactly(4, 2);
        map.read(-1, buffer, 0, 1);
        assertThat(buffer.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 3);
        assertErrno(Errno.EEXIST, () -> map.map(CLIENT, segment(-1, memory(1, 0))));
        map.unmap(CLIENT, TOP, 0x1000);
        assertErrno(Errno.EFAULT, () -> map.read(-1, buffer, 0, 1));
    }

    @Test
    void doesNotGoOnAtZeroAfterTheLastAddress() throws VfioException {
        MemorySegment low = memory(0x1000, 1);
        map.map(CLIENT, segment(TOP, memory(0x1000, 3)));
        map.map(CLIENT, segment(0, low));
        assertErrno(Errno.EFAULT, () -> map.read(-1, buffer, 0, 2));
        assertErrno(Errno.EFAULT, () -> map.write(-1, memory(2, 9), 0, 2));
        assertThat(low.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
        map.read(TOP, buffer, 0, 0x1000);
    }

    @Test
    void reachesTheFileOfAnotherProcess() throws VfioException {
        Fd fd = guest(0x3000);
        try (Mapping seen = Mapping.of(fd, 0, 0x3000, true, true)) {
            map.map(CLIENT, file(fd, 0x10000, 0x1000, 0x2000));
            seen.memory().set(ValueLayout.JAVA_BYTE, 0x1000, (byte) 7);
            map.read(0x10000, buffer, 0, 1);
            assertThat(buffer.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
            map.write(0x11FFF, memory(1, 8), 0, 1);
            assertThat(seen.memory().get(ValueLayout.JAVA_BYTE, 0x2FFF)).isEqualTo((byte) 8);
            map.unmap(CLIENT, 0x10000, 0x2000);
        }
    }

    @Test
    void faultsWhereTheClientCutItsFileShort() throws VfioException {
        try (Fd fd = Memfd.create("guest", 0x2000, false)) {
            map.map(CLIENT, file(fd.duplicate(), 0, 0, 0x2000));
            fd.truncate(0x1000);
            map.read(0, buffer, 0, 0x1000);
            assertErrno(Errno.EFAULT, () -> map.read(0x1000, buffer, 0, 0x1000));
            map.unmap(CLIENT, 0, 0x2000);
        }
    }

    @Test
    void waitsForTransfersInFlightBeforeTheMemoryGoes() throws Exception {
        DmaMap busy = new DmaMap(64);
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong transfers = new AtomicLong();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> devices = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            devices.add(Thread.ofPlatform().start(() -> {
                MemorySegment own = Arena.ofAuto().allocate(0x8000);
                while (!done.get()) {
                    try {
                        busy.write(0x10000, own, 0, 0x8000);
                        transfers.incrementAndGet();
                    } catch (VfioException e) {
                        if (e.errno() != Errno.EFAULT) {
                            failure.compareAndSet(null, e);
                        }
                    } catch (RuntimeException e) {
                        // the memory went from under a transfer
                        failure.compareAndSet(null, e);
                    }
                }
            }));
        }
        for (int round = 0; round < 300; round++) {
            busy.map(CLIENT, file(guest(0x8000), 0x10000, 0, 0x8000));
            busy.map(OTHER, file(guest(0x1000), 0x90000, 0, 0x1000));
            long before = transfers.get();
            while (transfers.get() == before) {
                Thread.onSpinWait();
            }
            busy.unmap(OTHER, 0x90000, 0x1000);
            if (round % 2 == 0) {
                busy.unmap(CLIENT, 0x10000, 0x8000);
            } else {
                busy.unmapAll(CLIENT);
            }
        }
        done.set(true);
        for (Thread device : devices) {
            device.join();
        }
        assertThat(failure.get()).isNull();
        assertThat(transfers.get()).isGreaterThanOrEqualTo(300);
    }

    @Test
    void letsGoOfManyMappingsInOnePass() throws VfioException {
        DmaMap large = new DmaMap(65_535);
        MemorySegment shared = memory(1, 0);
        for (int i = 0; i < 20_000; i++) {
            large.map(CLIENT, segment(2L * i, shared));
        }
        large.map(OTHER, segment(1, shared));
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long begin = threads.getCurrentThreadCpuTime();
        large.unmapAll(CLIENT);
        assertThat(threads.getCurrentThreadCpuTime() - begin).as("processor time: one pass, not one for each").isLessThan(1_000_000_000L);
        assertThat(large.size()).isEqualTo(1);
    }
}
