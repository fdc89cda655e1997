// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.RegionUser.DATA_OFFSET;
import static vfio.pci.core.device.RegionUser.DATA_SIZE;
import static vfio.pci.core.device.RegionUser.DEVICE_STATE;
import static vfio.pci.core.device.RegionUser.PENDING_BYTES;
import static vfio.pci.core.device.RegionUser.REGION;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;

/// The state of a device through the data window of the migration region, beside the features and beside other clients.
@Timeout(60)
class MigrationStagingTest {
    private static final long WINDOW = 0x1_1000;
    private static final int WINDOW_SIZE = 0x10_0000;

    private final OneDevice one = new OneDevice();
    private final OneDevice other = new OneDevice();
    private final MovingMediation vendor = new MovingMediation(false);
    private final MovingMediation receiver = new MovingMediation(false);
    private VfioDevice device;
    private VfioDevice destination;
    private RegionUser region;
    private RegionUser target;
    private Migration features;

    @BeforeEach
    void open() throws VfioException {
        one.accepting("moves", context -> vendor);
        other.accepting("moves", context -> receiver);
        device = one.open();
        destination = other.open();
        region = new RegionUser(device);
        target = new RegionUser(destination);
        features = device.migration().orElseThrow();
    }

    @AfterEach
    void close() {
        region.close();
        target.close();
        device.close();
        destination.close();
        one.close();
        other.close();
    }

    /// A state that takes more than one chunk.
    private static String longState() {
        StringBuilder text = new StringBuilder();
        new Random(5).ints(2 * WINDOW_SIZE + 77, 'a', 'z').forEach(c -> text.append((char) c));
        return text.toString();
    }

    @Test
    void refusesMoreThanTheWindowHolds() throws VfioException {
        for (long size : new long[] {WINDOW_SIZE + 1, 1L << 32, Long.MIN_VALUE, -1}) {
            target.set(DEVICE_STATE, 4);
            target.get(DATA_OFFSET);
            assertErrno(Errno.EINVAL, () -> target.set(DATA_SIZE, size));
            target.set(DEVICE_STATE, 1);
        }
        assertThat(receiver.asked).doesNotContain("load");
    }

    @Test
    void refusesAWrongState() throws VfioException {
        target.set(DEVICE_STATE, 4);
        long at = target.get(DATA_OFFSET);
        target.put(at, "no stream of ours".getBytes());
        assertErrno(Errno.EINVAL, () -> target.set(DATA_SIZE, 17));
        assertErrno(Errno.EINVAL, () -> target.set(DEVICE_STATE, 1));
        assertThat(target.get(DEVICE_STATE)).isEqualTo(4);
        assertThat(receiver.state).isEqualTo("as made");
    }

    @Test
    void refusesAStateThatIsCutShort() throws VfioException {
        region.set(DEVICE_STATE, 2);
        byte[] state = region.save();
        target.set(DEVICE_STATE, 4);
        target.resume(Arrays.copyOf(state, state.length - 1), 50);
        assertErrno(Errno.EINVAL, () -> target.set(DEVICE_STATE, 1));
        assertThat(target.get(DEVICE_STATE)).isEqualTo(4);
    }

    @Test
    void hasTheSameBytesAsTheFeatures() throws VfioException {
        vendor.state = longState();
        features.state(MigrationState.STOP_COPY);
        byte[] byFeatures = StateStream.readAll(features, 0x1003);
        features.state(MigrationState.STOP);
        region.set(DEVICE_STATE, 2);
        byte[] byRegion = region.save();
        assertThat(byRegion).isEqualTo(byFeatures);
        assertThat(region.get(PENDING_BYTES)).isZero();
        region.set(DEVICE_STATE, 1);

        target.set(DEVICE_STATE, 4);
        target.resume(byRegion, WINDOW_SIZE);
        target.set(DEVICE_STATE, 1);
        assertThat(receiver.state).isEqualTo(vendor.state);
    }

    @Test
    void movesAStateWithAPreCopyASecondAndThirdTime() throws VfioException {
        for (int round = 0; round < 3; round++) {
            vendor.state = "round " + round;
            vendor.changes.add("first");
            region.set(DEVICE_STATE, 3);
            target.set(DEVICE_STATE, 4);
            target.resume(region.save(), 40);
            vendor.changes.add("second");
            assertThat(region.get(PENDING_BYTES)).as("something new").isPositive();
            target.resume(region.save(), 40);
            region.set(DEVICE_STATE, 2);
            target.resume(region.save(), 40);
            target.set(DEVICE_STATE, 1);
            assertThat(receiver.state).isEqualTo("first,second,round " + round);
            region.set(DEVICE_STATE, 0);
            region.set(DEVICE_STATE, 1);
        }
    }

    @Test
    void losesNoChunkByAskingTwice() throws VfioException {
        vendor.state = longState();
        region.set(DEVICE_STATE, 2);
        long pending = region.get(PENDING_BYTES);
        assertThat(region.get(PENDING_BYTES)).isEqualTo(pending);
        region.get(DATA_OFFSET);
        assertThat(region.get(PENDING_BYTES)).as("the client was not told of the chunk yet").isEqualTo(pending);
        assertThat(region.get(DATA_OFFSET)).isEqualTo(WINDOW);
        assertThat(region.get(DATA_SIZE)).isEqualTo(WINDOW_SIZE);
        byte[] chunk = region.bytes(WINDOW, WINDOW_SIZE);
        assertThat(region.get(DATA_OFFSET)).isEqualTo(WINDOW);
        assertThat(region.get(DATA_SIZE)).isEqualTo(WINDOW_SIZE);
        assertThat(region.bytes(WINDOW, WINDOW_SIZE)).isEqualTo(chunk);
        assertThat(region.get(PENDING_BYTES)).isEqualTo(pending - WINDOW_SIZE);
        assertThat(region.get(DATA_OFFSET)).isEqualTo(WINDOW);
        assertThat(region.bytes(WINDOW, WINDOW_SIZE)).isNotEqualTo(chunk);
    }

    @Test
    void keepsTheStagedChunkWhenTheDeviceIsStopped() throws VfioException {
        region.set(DEVICE_STATE, 3);
        region.get(PENDING_BYTES);
        region.get(DATA_OFFSET);
        region.set(DEVICE_STATE, 2);
        byte[] rest = region.save();
        region.set(DEVICE_STATE, 0);
        region.set(DEVICE_STATE, 2);
        assertThat(rest).isEqualTo(region.save());
    }

    @Test
    void copiesThroughTheMap() throws VfioException {
        vendor.state = longState();
        try (RegionMap from = device.map(REGION, WINDOW, WINDOW_SIZE); RegionMap to = destination.map(REGION, WINDOW, WINDOW_SIZE)) {
            region.set(DEVICE_STATE, 2);
            target.set(DEVICE_STATE, 4);
            while (region.get(PENDING_BYTES) > 0) {
                assertThat(region.get(DATA_OFFSET)).isEqualTo(WINDOW);
                long size = region.get(DATA_SIZE);
                assertThat(target.get(DATA_OFFSET)).isEqualTo(WINDOW);
                MemorySegment.copy(from.memory(), 0, to.memory(), 0, size);
                target.set(DATA_SIZE, size);
            }
            target.set(DEVICE_STATE, 1);
        }
        assertThat(receiver.state).isEqualTo(vendor.state);
    }

    /// What the client does to the window meanwhile changes nothing of what it is given next, nor of what was taken in.
    @Test
    void believesNothingThatIsInTheWindow() throws VfioException {
        vendor.state = "precious";
        try (RegionMap map = device.map(REGION, WINDOW, WINDOW_SIZE); RegionMap to = destination.map(REGION, WINDOW, WINDOW_SIZE)) {
            region.set(DEVICE_STATE, 2);
            region.get(PENDING_BYTES);
            region.get(DATA_OFFSET);
            map.memory().fill((byte) 0xFF);
            region.set(DEVICE_STATE, 0);
            region.set(DEVICE_STATE, 2);
            byte[] state = region.save();
            target.set(DEVICE_STATE, 4);
            target.resume(state, state.length);
            to.memory().fill((byte) 0xFF);
            target.set(DEVICE_STATE, 1);
        }
        assertThat(receiver.state).isEqualTo("precious");
    }

    @Test
    void takesNoChunkTwice() throws VfioException {
        region.set(DEVICE_STATE, 2);
        byte[] state = region.save();
        target.set(DEVICE_STATE, 4);
        target.resume(state, state.length);
        assertErrno(Errno.EINVAL, () -> target.set(DATA_SIZE, state.length));
        target.set(DEVICE_STATE, 1);
        assertThat(receiver.state).isEqualTo(vendor.state);
    }

    @Test
    void isReadByOneClientAndFaceAtATime() throws VfioException {
        MemorySegment some = MemorySegment.ofArray(new byte[8]);
        try (VfioDevice second = one.open(); RegionUser secondRegion = new RegionUser(second)) {
            region.set(DEVICE_STATE, 2);
            assertThat(region.get(PENDING_BYTES)).isPositive();
            region.get(DATA_OFFSET);
            long pending = secondRegion.get(PENDING_BYTES);
            assertThat(pending).isEqualTo(region.get(PENDING_BYTES));
            assertErrno(Errno.EBUSY, () -> secondRegion.get(DATA_OFFSET));
            assertErrno(Errno.EBUSY, () -> secondRegion.get(DATA_SIZE));
            assertErrno(Errno.EBUSY, () -> features.read(some, 0, 8));
            region.get(DATA_SIZE);
            assertThat(secondRegion.get(PENDING_BYTES)).as("nobody takes another's chunk").isEqualTo(pending);
            region.set(DEVICE_STATE, 0);
            region.set(DEVICE_STATE, 2);
            features.read(some, 0, 8);
            assertThat(region.get(PENDING_BYTES)).isEqualTo(pending - 8);
            assertErrno(Errno.EBUSY, () -> region.get(DATA_OFFSET));
            secondRegion.set(DEVICE_STATE, 0);
            secondRegion.set(DEVICE_STATE, 2);
            assertThat(secondRegion.save()).hasSize((int) pending);
        }
    }

    @Test
    void isWrittenByOneClientAndFaceAtATime() throws VfioException {
        region.set(DEVICE_STATE, 2);
        byte[] state = region.save();
        Migration there = destination.migration().orElseThrow();
        try (VfioDevice second = other.open(); RegionUser secondRegion = new RegionUser(second)) {
            target.set(DEVICE_STATE, 4);
            long at = target.get(DATA_OFFSET);
            assertErrno(Errno.EINVAL, () -> secondRegion.set(DATA_SIZE, 1));
            target.put(at, state);
            target.set(DATA_SIZE, 10);
            secondRegion.get(DATA_OFFSET);
            assertErrno(Errno.EBUSY, () -> secondRegion.set(DATA_SIZE, 10));
            assertErrno(Errno.EBUSY, () -> there.write(MemorySegment.ofArray(state), 10, 10));
            target.resume(Arrays.copyOfRange(state, 10, state.length), 1000);
            target.set(DEVICE_STATE, 1);
        }
        assertThat(receiver.state).isEqualTo(vendor.state);
    }

    @Test
    void mixesNothingUpWhenTwoClientsRace() throws Exception {
        vendor.state = longState();
        region.set(DEVICE_STATE, 2);
        byte[] whole = region.save();
        for (int round = 0; round < 20; round++) {
            region.set(DEVICE_STATE, 0);
            region.set(DEVICE_STATE, 2);
            try (VfioDevice second = one.open(); RegionUser secondRegion = new RegionUser(second)) {
                byte[][] got = new byte[2][];
                Thread thread = Thread.ofPlatform().start(() -> got[1] = saveOrNothing(secondRegion));
                got[0] = saveOrNothing(region);
                thread.join();
                // The other was refused, or came when there was nothing left.
                assertThat(got[0].length == 0 ? got[1] : got[0]).as("one of them has it all").isEqualTo(whole);
                assertThat(got[0].length == 0 || got[1].length == 0).isTrue();
            }
        }
    }

    private static byte[] saveOrNothing(RegionUser user) {
        try {
            return user.save();
        } catch (VfioException e) {
            assertThat(e.errno()).isEqualTo(Errno.EBUSY);
            return new byte[0];
        }
    }

    @Test
    void stagesTheStateOfADeviceThatIsLentInLargePieces() throws VfioException {
        vendor.state = longState();
        region.set(DEVICE_STATE, 2);
        region.get(PENDING_BYTES);
        region.get(DATA_OFFSET);
        byte[] read = region.bytes(WINDOW, WINDOW_SIZE);
        byte[] lent = new byte[WINDOW_SIZE];
        try (var port = device.port()) {
            assertThat(port.lend(REGION, WINDOW, WINDOW_SIZE, (memory, offset, count) ->
                MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, lent, 0, count))).isTrue();
            assertThat(port.lend(REGION, 0, 8, (memory, offset, count) -> { })).isFalse();
        }
        assertThat(lent).isEqualTo(read);
    }
}
