// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.api.migration.MigrationState.PRE_COPY;
import static vfio.pci.api.migration.MigrationState.RESUMING;
import static vfio.pci.api.migration.MigrationState.RUNNING;
import static vfio.pci.api.migration.MigrationState.RUNNING_P2P;
import static vfio.pci.api.migration.MigrationState.STOP;
import static vfio.pci.api.migration.MigrationState.STOP_COPY;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.core.binding.Mediator;

class MigrationTest {
    private final OneDevice device = new OneDevice();
    private final OneDevice other = new OneDevice();
    private final MovingMediation vendor = new MovingMediation(true);
    private final MovingMediation receiver = new MovingMediation(false);

    @AfterEach
    void close() {
        device.close();
        other.close();
    }

    @Test
    void isNotThereWithoutAMediatorThatCan() throws VfioException {
        try (VfioDevice open = device.open()) {
            assertThat(open.migration()).isEmpty();
        }
    }

    @Test
    void refusesWhatIsOutOfPlace() throws VfioException {
        device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open()) {
            Migration migration = open.migration().orElseThrow();
            MemorySegment buffer = MemorySegment.ofArray(new byte[8]);
            assertErrno(Errno.EINVAL, () -> migration.read(buffer, 0, 8));
            assertErrno(Errno.EINVAL, () -> migration.write(buffer, 0, 8));
            assertErrno(Errno.EINVAL, migration::stopLogging);
            assertErrno(Errno.EINVAL, () -> migration.reportDirty(0, 0x1000, 0x1000, buffer, 0));
            migration.state(STOP_COPY);
            assertErrno(Errno.EINVAL, () -> migration.state(PRE_COPY));
            assertThat(migration.state()).isEqualTo(STOP_COPY);
            assertThat(vendor.asked).containsExactly("quiesce", "stop", "save");
        }
    }

    @Test
    void staysWhereAFailingStepBegan() throws VfioException {
        device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open()) {
            Migration migration = open.migration().orElseThrow();
            vendor.failing = "stop";
            assertErrno(Errno.EBUSY, () -> migration.state(STOP));
            assertThat(migration.state()).isEqualTo(RUNNING_P2P);
            vendor.failing = "bug in save";
            assertErrno(Errno.EIO, () -> migration.state(STOP_COPY));
            assertThat(migration.state()).isEqualTo(STOP);
            vendor.failing = "";
            migration.state(RUNNING);
            migration.state(PRE_COPY);
            vendor.failing = "save";
            vendor.asked.clear();
            assertErrno(Errno.EBUSY, () -> migration.state(STOP_COPY));
            assertThat(vendor.asked).as("it runs again").containsExactly("quiesce", "stop", "save", "start");
        }
    }

    @Test
    void movesAStateAndASecondAndThirdTime() throws VfioException {
        device.accepting("moves", context -> vendor);
        other.accepting("moves", context -> receiver);
        try (VfioDevice open = device.open(); VfioDevice destination = other.open()) {
            Migration from = open.migration().orElseThrow();
            Migration to = destination.migration().orElseThrow();
            assertThat(from.flags()).containsExactlyInAnyOrder(MigrationFlag.values());
            for (int round = 0; round < 3; round++) {
                vendor.state = "round " + round;
                vendor.changes.add("first");
                from.state(PRE_COPY);
                to.state(RESUMING);
                StateStream.writeAll(to, StateStream.readWhatIsThere(from));
                vendor.changes.add("second");
                assertThat(from.stopCopyLength()).isGreaterThanOrEqualTo(vendor.state.length());
                from.state(STOP_COPY);
                StateStream.writeAll(to, StateStream.readAll(from, 17));
                assertThat(receiver.state).as("nothing changes before the stream is whole").isNotEqualTo("first," + vendor.state);
                to.state(RUNNING);
                assertThat(receiver.state).isEqualTo("first," + vendor.state);
                from.state(STOP);
                from.state(RUNNING);
                vendor.changes.clear();
            }
        }
    }

    @Test
    void refusesAStreamThatDoesNotFitAndStaysAsItWas() throws VfioException {
        device.accepting("moves", context -> vendor);
        receiver.configuration = Map.of("queues", "2");
        other.accepting("moves", context -> receiver);
        try (VfioDevice open = device.open(); VfioDevice destination = other.open()) {
            Migration from = open.migration().orElseThrow();
            Migration to = destination.migration().orElseThrow();
            from.state(STOP_COPY);
            byte[] stream = StateStream.readAll(from, 17);
            to.state(RESUMING);
            assertErrno(Errno.EINVAL, () -> StateStream.writeAll(to, stream));
            assertErrno(Errno.EINVAL, () -> to.state(RUNNING));
            assertThat(to.state()).isEqualTo(RESUMING);
            destination.reset();
            assertThat(to.state()).isEqualTo(RUNNING);
            assertThat(receiver.state).isEqualTo("as made");
            assertThat(receiver.asked).doesNotContain("load");
        }
    }

    @Test
    void isCancelledAtEachPoint() throws VfioException {
        device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open()) {
            Migration migration = open.migration().orElseThrow();
            migration.state(RESUMING);
            migration.state(RUNNING);
            assertThat(vendor.asked).as("nothing was written, nothing is loaded").doesNotContain("load");
            vendor.asked.clear();
            migration.state(PRE_COPY);
            assertThat(StateStream.readWhatIsThere(migration)).as("a header").isNotEmpty();
            migration.state(RUNNING);
            assertThat(vendor.asked).containsExactly("beginPreCopy", "endPreCopy");
            migration.state(STOP_COPY);
            migration.state(RUNNING);
            assertThat(vendor.asked).endsWith("start", "resume");
        }
    }

    @Test
    void logsWhatTheDeviceWrites() throws VfioException {
        device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open(); Arena arena = Arena.ofConfined()) {
            Migration migration = open.migration().orElseThrow();
            MemorySegment memory = arena.allocate(0x10000, 0x1000);
            open.dmaMap(new DmaMapping(0x8000, 0x8000, true, true, new DmaBacking.Segment(memory.asSlice(0, 0x8000))));
            DmaSpace dma = device.hardware.lent.dma();
            dma.write(0x8000, MemorySegment.ofArray(new byte[1]), 0, 1);
            migration.startLogging(0x1000, List.of(new IovaRange(0, 0x10_0000)));
            dma.write(0xAFFF, MemorySegment.ofArray(new byte[2]), 0, 2);
            dma.read(0xC000, MemorySegment.ofArray(new byte[1]), 0, 1);
            open.dmaUnmap(0x8000, 0x8000);
            assertErrno(Errno.EFAULT, () -> dma.write(0xD000, MemorySegment.ofArray(new byte[1]), 0, 1));
            assertThat(dirty(migration)).as("two written, one the vendor told of, one that failed").containsExactly(0xA, 0xB, 0xD, 0xF);
            assertThat(dirty(migration)).containsExactly(0xF);
            assertErrno(Errno.EINVAL, () -> migration.startLogging(0x1000, List.of()));
            migration.stopLogging();
            assertErrno(Errno.EINVAL, () -> dirty(migration));
            migration.startLogging(0x1000, List.of(new IovaRange(0, 0x1000)));
            open.reset();
            assertErrno(Errno.EINVAL, () -> dirty(migration));
        }
    }

    private static List<Integer> dirty(Migration migration) throws VfioException {
        MemorySegment bitmap = MemorySegment.ofArray(new long[1]);
        migration.reportDirty(0, 0x4_0000, 0x1000, bitmap, 0);
        return BitSet.valueOf(bitmap.toArray(ValueLayout.JAVA_LONG)).stream().boxed().toList();
    }

    @Test
    void logsNothingWhenTheVendorRefuses() throws VfioException {
        device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open()) {
            Migration migration = open.migration().orElseThrow();
            vendor.failing = "beginTracking";
            assertErrno(Errno.EBUSY, () -> migration.startLogging(0x1000, List.of(new IovaRange(0, 0x1000))));
            vendor.failing = "";
            migration.startLogging(0x1000, List.of(new IovaRange(0, 0x1000)));
        }
    }

    @Test
    void answersNoDeviceWhenItsMediatorHasGone() throws VfioException {
        Mediator mediator = device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open()) {
            Migration migration = open.migration().orElseThrow();
            device.goes(mediator);
            assertThat(open.migration()).isEmpty();
            int before = vendor.asked.size();
            assertErrno(Errno.ENODEV, () -> migration.state(STOP));
            assertErrno(Errno.ENODEV, migration::stopCopyLength);
            assertErrno(Errno.ENODEV, () -> migration.startLogging(0x1000, List.of(new IovaRange(0, 0x1000))));
            assertThat(vendor.asked).hasSize(before);
        }
    }

    @Test
    void endsWhatItBeganWhicheverWayItGoes() throws VfioException {
        device.accepting("moves", context -> vendor);
        try (VfioDevice open = device.open()) {
            Migration migration = open.migration().orElseThrow();
            List<IovaRange> ranges = List.of(new IovaRange(0, 0x10000));
            vendor.failing = "beginTracking";
            assertErrno(Errno.EBUSY, () -> migration.startLogging(0x1000, ranges));
            vendor.failing = "bug in beginPreCopy";
            assertErrno(Errno.EIO, () -> migration.state(PRE_COPY));
            assertThat(migration.state()).isEqualTo(RUNNING);
            assertThat(vendor.asked).containsExactly("beginTracking", "endTracking", "beginPreCopy", "endPreCopy");
            vendor.failing = "";
            vendor.asked.clear();
            migration.startLogging(0x1000, ranges);
            migration.state(PRE_COPY);
            migration.state(RUNNING);
            migration.stopLogging();
            assertThat(vendor.asked).as("cancelled").containsExactly("beginTracking", "beginPreCopy", "endPreCopy", "endTracking");
            vendor.asked.clear();
            migration.startLogging(0x1000, ranges);
            migration.state(PRE_COPY);
            open.reset();
            assertThat(vendor.asked).as("reset").containsExactly("beginTracking", "beginPreCopy", "endTracking", "endPreCopy");
            assertThat(migration.state()).isEqualTo(RUNNING);
            vendor.asked.clear();
            open.reset();
            assertThat(vendor.asked).isEmpty();
        }
    }
}
