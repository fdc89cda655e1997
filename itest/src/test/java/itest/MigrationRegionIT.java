// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.iavf.DriverOptions;
import itest.iavf.GuestMemory;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import javax.inject.Inject;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.DeviceFeatureLayout;
import vfio.user.wire.MigStateLayout;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.client.VfioUserClient;

/**
 * The migration region of the proposal, over vfio-user, of a virtual function that a guest uses: driven by the proposal's loops to the
 * letter, and beside the device features, which are another face of the same migration.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class MigrationRegionIT {
    private static final long FRAMES = 2000;
    private static final int SMALL_CHUNK = 1000;
    private static final long PAGE = 0x1000;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Inject
    private DeviceAdmin admin;
    @Inject
    private ServeAdmin transport;
    @Rule
    public final ServedVfs vfs = new ServedVfs(() -> transport);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), configuration("mediator.i40e", Map.of("migration", "true")), mediatorI40e(),
            vfioUser()};
    }

    @Before
    public void waitForTheNicAndItsMediator() throws Exception {
        SimulatedNic.await(admin);
        Await.until("mediator.i40e drives the PF",
            () -> admin.mediators().stream().map(MediatorStatus::name).toList().equals(List.of("i40e")));
    }

    private GuestVf guest() throws Exception {
        return GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
    }

    private GuestVf peer() throws Exception {
        return GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT);
    }

    /** A client without a guest, on the function that is moved to. */
    private VfioUserClient target() throws Exception {
        return VfioUserClient.connect(vfs.socket(SimulatedNic.VF2), VersionCapabilities.NONE.withMaxMsgFds(8), PATIENCE);
    }

    @Test
    public void refusesWhatIsNoFieldAndWhatNoWayLeadsTo() throws Exception {
        try (GuestVf one = guest(); var region = new ProposalUser(one.client(), false)) {
            assertRefused(Errno.EINVAL, () -> region.get(ProposalUser.DEVICE_STATE));
            assertRefused(Errno.EINVAL, () -> region.get(ProposalUser.DATA_OFFSET));
            assertRefused(Errno.EINVAL, () -> region.set(ProposalUser.DATA_SIZE, 1));
            assertRefused(Errno.EINVAL, () -> region.state(ProposalUser.SAVING | ProposalUser.RESUMING));
            region.state(ProposalUser.SAVING);
            assertRefused(Errno.EINVAL, () -> region.state(ProposalUser.SAVING | ProposalUser.RUNNING));
            assertThat(region.state()).isEqualTo(ProposalUser.SAVING);
            region.state(ProposalUser.RESUMING);
            region.get(ProposalUser.DATA_OFFSET);
            assertRefused(Errno.EINVAL, () -> region.resume(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 12));
            assertRefused(Errno.EINVAL, () -> region.state(ProposalUser.RUNNING));
            assertThat(region.state()).isEqualTo(ProposalUser.RESUMING);
        }
    }

    @Test
    public void movesAStateByMessages() throws Exception {
        movesAState(false, SMALL_CHUNK);
    }

    @Test
    public void movesAStateThroughTheMappedFile() throws Exception {
        movesAState(true, Integer.MAX_VALUE / 2);
    }

    private void movesAState(boolean mapped, int chunk) throws Exception {
        try (GuestVf one = guest(); GuestVf other = peer(); VfioUserClient target = target();
                var source = new ProposalUser(one.client(), mapped); var destination = new ProposalUser(target, mapped)) {
            new Traffic(one.driver(), other.driver()).bothWays(FRAMES);
            source.state(ProposalUser.SAVING | ProposalUser.RUNNING);
            var state = new ByteArrayOutputStream();
            state.writeBytes(source.save());
            assertThat(state.size()).as("at least a header").isPositive();
            source.state(ProposalUser.SAVING);
            state.writeBytes(source.save());
            assertThat(source.get(ProposalUser.PENDING_BYTES)).isZero();
            source.state(ProposalUser.STOPPED);

            destination.state(ProposalUser.RESUMING);
            destination.resume(state.toByteArray(), chunk);
            destination.state(ProposalUser.STOPPED);
            destination.state(ProposalUser.SAVING);
            assertThat(destination.save()).as("what was put in comes out").isEqualTo(state.toByteArray());
            destination.state(ProposalUser.RUNNING);

            source.state(ProposalUser.RUNNING);
            new Traffic(one.driver(), other.driver()).bothWays(FRAMES);
        }
    }

    @Test
    public void bothFacesGiveTheSameBytes() throws Exception {
        try (GuestVf one = guest(); GuestVf other = peer(); var messages = new ProposalUser(one.client(), false);
                var mapped = new ProposalUser(one.client(), true)) {
            new Traffic(one.driver(), other.driver()).bothWays(FRAMES);
            messages.state(ProposalUser.SAVING);
            byte[] byMessages = messages.save();
            messages.state(ProposalUser.STOPPED);
            featureState(one.client(), MigrationState.STOP_COPY);
            assertThat(mapped.state()).as("a state of one face read by the other").isEqualTo(ProposalUser.SAVING);
            byte[] byFeatures = readData(one.client());
            mapped.state(ProposalUser.STOPPED);
            assertThat(featureState(one.client())).isEqualTo(MigrationState.STOP.number());
            mapped.state(ProposalUser.SAVING);
            byte[] byMap = mapped.save();
            assertThat(byFeatures).hasSizeGreaterThan(0x100).isEqualTo(byMessages).isEqualTo(byMap);
            mapped.state(ProposalUser.RUNNING);
            new Traffic(one.driver(), other.driver()).bothWays(FRAMES);
        }
    }

    @Test
    public void aCopyIsReadByOneFace() throws Exception {
        try (GuestVf one = guest(); var region = new ProposalUser(one.client(), false)) {
            region.state(ProposalUser.SAVING);
            region.get(ProposalUser.PENDING_BYTES);
            region.get(ProposalUser.DATA_OFFSET);
            assertRefused(Errno.EBUSY, () -> readData(one.client()));
            assertThat(region.save()).isNotEmpty();
            region.state(ProposalUser.RUNNING);
            featureState(one.client(), MigrationState.STOP_COPY);
            assertThat(readData(one.client())).isNotEmpty();
        }
    }

    @Test
    public void dirtyLoopSaysWhatTheDeviceWrote() throws Exception {
        try (GuestVf one = guest(); GuestVf other = peer(); var region = new ProposalUser(one.client(), false);
                var mapped = new ProposalUser(one.client(), true)) {
            var traffic = new Traffic(other.driver(), one.driver());
            long start = GuestMemory.iova(0) / PAGE;
            int pages = (int) (one.memory().memory().byteSize() / PAGE);
            region.state(ProposalUser.SAVING | ProposalUser.RUNNING);
            traffic.oneWay(FRAMES);
            BitSet first = region.dirty(start, PAGE, pages);
            assertThat(first.cardinality()).as("pages with frames").isBetween(10, pages / 2);
            assertThat(region.dirty(start, PAGE, pages).isEmpty()).as("nothing since").isTrue();
            traffic.oneWay(FRAMES);
            region.state(ProposalUser.SAVING);
            assertThat(mapped.dirty(start / 2, 2 * PAGE, pages / 2).cardinality()).as("the last scan").isBetween(5, pages / 4);
            assertThat(mapped.dirty(start, PAGE, pages).isEmpty()).isTrue();
            assertThat(mapped.dirty(start + pages, PAGE, 100).cardinality()).as("nothing is mapped there").isEqualTo(100);
            region.state(ProposalUser.RUNNING);
            traffic.oneWay(FRAMES);
        }
    }

    private static void featureState(VfioUserClient client, MigrationState state) throws VfioException {
        byte[] data = new byte[MigStateLayout.BYTES];
        MemorySegment.ofArray(data).set(ValueLayout.JAVA_INT_UNALIGNED, MigStateLayout.DEVICE_STATE, state.number());
        client.features().set(DeviceFeatureLayout.MIG_DEVICE_STATE, data);
    }

    private static int featureState(VfioUserClient client) throws VfioException {
        byte[] data = client.features().get(DeviceFeatureLayout.MIG_DEVICE_STATE, new byte[0], MigStateLayout.BYTES);
        return MemorySegment.ofArray(data).get(ValueLayout.JAVA_INT_UNALIGNED, MigStateLayout.DEVICE_STATE);
    }

    private static byte[] readData(VfioUserClient client) throws VfioException {
        var all = new ByteArrayOutputStream();
        byte[] piece = new byte[SMALL_CHUNK];
        int got;
        do {
            got = client.migration().read(MemorySegment.ofArray(piece), 0, piece.length);
            all.write(piece, 0, got);
        } while (got > 0);
        return all.toByteArray();
    }

    private static void assertRefused(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
    }
}
