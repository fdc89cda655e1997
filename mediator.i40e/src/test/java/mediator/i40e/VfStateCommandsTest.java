// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.bus.SimulatedBus;
import device.sim.xl710.Xl710;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Map;
import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.migration.StateSection;

/// Over the registers and the admin queue of a simulated card, found as the driver finds one: as a service.
class VfStateCommandsTest {
    private static final int VFINT_ITR01 = 0x4C00;
    private static final TrackingStrategy STRATEGY = (device, context, sight) -> new DeviceLog();

    @TempDir
    private Path storage;

    private Framework framework;
    private Xl710 card;
    private PfBinding physical;
    private PfResources lent;
    private BoundFunction virtual;
    private VfStateCommands states;

    @BeforeEach
    void start() throws Exception {
        framework = new FrameworkFactory().newFramework(Map.of(Constants.FRAMEWORK_STORAGE, storage.toString()));
        framework.start();
        card = new Xl710(new SimulatedBus(framework.getBundleContext()));
        card.activate(Map.of("vfs", "2"));
        physical = PfBinding.bind(function("0000:3b:00.0"));
        states = physical.states();
        PciFunction first = function("0000:3b:02.0");
        lent = new PfResources(first.bars());
        virtual = first.bind("vfio-pci", lent);
    }

    @AfterEach
    void stop() throws Exception {
        virtual.close();
        lent.close();
        physical.close();
        card.deactivate();
        framework.stop();
        framework.waitForStop(10_000);
    }

    @Test
    void movesAStateFromOneTimeToAnother() throws Exception {
        register(VFINT_ITR01, 0x123);
        int length = states.stop(0);
        MemorySegment state = read(length);
        states.restart(0);
        register(VFINT_ITR01, 0x456);
        states.stop(0);
        write(state);
        assertThat(register(VFINT_ITR01)).as("not before it is loaded").isEqualTo(0x456);
        states.load(0);
        assertThat(register(VFINT_ITR01)).isEqualTo(0x123);
        states.restart(0);
        assertThat(states.stop(0)).isEqualTo(length);
        assertThat(read(length).mismatch(state)).isEqualTo(-1);
    }

    private Optional<VfMigration> migration(PciAddress device) {
        return VfMigration.of(physical, device, () -> physical, new RecordingContext(), STRATEGY);
    }

    @Test
    void isMovedByTheCore() throws Exception {
        VfMigration migration = migration(PciAddress.parse("0000:3b:02.0")).orElseThrow();
        VfMigration other = migration(PciAddress.parse("0000:3b:02.1")).orElseThrow();
        assertThat(migration(PciAddress.parse("0000:3b:02.2"))).isEmpty();
        register(VFINT_ITR01, 0x123);
        migration.stop();
        List<StateSection> state = migration.save();
        assertThat(state).singleElement().satisfies(section -> assertThat(section.data()).hasSize((int) migration.stateSize()));
        register(VFINT_ITR01, 0x456);
        assertErrno(() -> migration.load(migration.version(), List.of()), Errno.EINVAL);
        assertErrno(() -> migration.load(migration.version(), List.of(new StateSection("vf", 2, state.getFirst().data()))), Errno.EINVAL);
        assertErrno(() -> migration.load(migration.version(), List.of(new StateSection("vf", 1, new byte[100]))), Errno.EINVAL);
        assertThat(register(VFINT_ITR01)).as("a refused state changes nothing").isEqualTo(0x456);
        migration.load(migration.version(), state);
        assertThat(register(VFINT_ITR01)).isEqualTo(0x123);
        other.stop();
        other.load(migration.version(), state);
        assertThat(other.save()).as("the same state in another function").isEqualTo(state);
        other.release();
        migration.release();
        assertErrno(() -> states.load(0), Errno.EBUSY);
        assertErrno(() -> states.load(1), Errno.EBUSY);
    }

    @Test
    void readsNothingBehindTheEnd() throws Exception {
        int length = states.stop(0);
        MemorySegment buffer = MemorySegment.ofArray(new byte[16]);
        assertThat(states.read(0, length, buffer, 0, 16)).isZero();
        assertThat(states.read(0, length - 3, buffer, 5, 11)).isEqualTo(3);
    }

    @Test
    void saysThatAFunctionRunsOrDoesNotExist() {
        MemorySegment buffer = MemorySegment.ofArray(new byte[16]);
        assertErrno(() -> states.read(0, 0, buffer, 0, 16), Errno.EBUSY);
        assertErrno(() -> states.write(0, 0, buffer, 0, 16), Errno.EBUSY);
        assertErrno(() -> states.load(0), Errno.EBUSY);
        assertErrno(() -> states.stop(2), Errno.ENODEV);
    }

    @Test
    void saysThatAStateIsWrong() throws Exception {
        int length = states.stop(0);
        MemorySegment state = read(length);
        state.set(ValueLayout.JAVA_BYTE, length / 2, (byte) (state.get(ValueLayout.JAVA_BYTE, length / 2) + 1));
        write(state);
        assertErrno(() -> states.load(0), Errno.EINVAL);
        assertErrno(() -> states.write(0, 4, state, 0, 4), Errno.EINVAL);
        states.restart(0);
    }

    @Test
    void startsTheQueueOverAfterAReset() throws Exception {
        states.stop(0);
        states.restart(0);
        physical.reset();
        assertThat(states.stop(0)).isPositive();
    }

    @Test
    void saysThatTheFunctionHasGone() throws Exception {
        physical.close();
        assertErrno(() -> states.stop(0), Errno.ENODEV);
        physical = PfBinding.bind(function("0000:3b:00.0"));
    }

    private MemorySegment read(int length) throws VfioException {
        MemorySegment state = MemorySegment.ofArray(new byte[length]);
        int done = 0;
        while (done < length) {
            done += states.read(0, done, state, done, length - done);
        }
        return state;
    }

    private void write(MemorySegment state) throws VfioException {
        for (int done = 0; done < state.byteSize(); done += AdminQueue.BUFFER) {
            states.write(0, done, state, done, (int) Math.min(AdminQueue.BUFFER, state.byteSize() - done));
        }
    }

    private int register(int offset) throws VfioException {
        int[] value = new int[1];
        virtual.readBar(0, offset, MemorySegment.ofArray(value), 0, Integer.BYTES);
        return value[0];
    }

    private void register(int offset, int value) throws VfioException {
        virtual.writeBar(0, offset, MemorySegment.ofArray(new int[] {value}), 0, Integer.BYTES);
    }

    private PciFunction function(String address) throws Exception {
        BundleContext context = framework.getBundleContext();
        ServiceReference<PciFunction> reference = context.getServiceReferences(PciFunction.class,
            "(" + PciFunction.ADDRESS_PROPERTY + "=" + address + ")").iterator().next();
        return context.getService(reference);
    }

    /// Something that is refused.
    private interface Command {
        void run() throws VfioException;
    }

    private static void assertErrno(Command command, Errno errno) {
        assertThatThrownBy(command::run).isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
