// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// How a virtual function is moved: its physical function's firmware stops it, gives and takes its state as bytes that have a version and
/// checksums of their own, and lets it go on. Which pages it writes meanwhile is logged by the core, transfer by transfer.
final class VfMigration extends MigrationDriver {
    private static final Logger LOG = System.getLogger(VfMigration.class.getName());
    private static final StateVersion VERSION = new StateVersion(1, 0);
    private static final String SECTION = "vf";
    private static final int LAYOUT = 1;
    /// What a state takes about, before one was seen.
    private static final int USUAL_SIZE = 0x2000;
    /// More than any firmware has, so that a wrong length is not taken for memory to be had.
    private static final int LARGEST_SIZE = 0x100_0000;

    private final States states;
    private final int function;
    private final PciAddress device;
    private volatile int size = USUAL_SIZE;
    private volatile boolean stopped;

    /// The way to the firmware, which changes when the physical function is given away and had again.
    interface States {
        /// As it is now.
        ///
        /// @throws VfioException ENODEV when there is none
        VfStateCommands now() throws VfioException;
    }

    /// @param function index among those of the physical function
    /// @param device its address, for people
    VfMigration(States states, int function, PciAddress device) {
        this.states = states;
        this.function = function;
        this.device = device;
    }

    /// That of a virtual function of this physical one.
    static Optional<VfMigration> of(PfBinding physical, PciAddress device, States states) {
        OptionalInt function = physical.index(device);
        return function.isPresent() ? Optional.of(new VfMigration(states, function.getAsInt(), device)) : Optional.empty();
    }

    @Override
    public StateVersion version() {
        return VERSION;
    }

    @Override
    public long stateSize() {
        return size;
    }

    @Override
    public void stop() throws VfioException {
        int length = states.now().stop(function);
        stopped = true;
        if (length <= 0 || length > LARGEST_SIZE) {
            start();
            throw new VfioException(Errno.EIO, "device=%s state=0x%x bytes expected=1 to 0x%x".formatted(device, length, LARGEST_SIZE));
        }
        size = length;
    }

    @Override
    public void start() throws VfioException {
        states.now().restart(function);
        stopped = false;
    }

    @Override
    public List<StateSection> save() throws VfioException {
        byte[] state = new byte[size];
        MemorySegment buffer = MemorySegment.ofArray(state);
        int done = 0;
        while (done < state.length) {
            int read = states.now().read(function, done, buffer, done, state.length - done);
            if (read == 0) {
                throw new VfioException(Errno.EIO, "device=%s state=0x%x bytes expected=0x%x".formatted(device, done, state.length));
            }
            done += read;
        }
        return List.of(new StateSection(SECTION, LAYOUT, state));
    }

    @Override
    public void load(StateVersion version, List<StateSection> sections) throws VfioException {
        StateSection section = sections.size() == 1 ? sections.getFirst() : null;
        if (section == null || !section.name().equals(SECTION) || section.version() != LAYOUT) {
            throw new VfioException(Errno.EINVAL, "device=%s sections=%s expected=one, %s version=%d".formatted(device, sections, SECTION,
                LAYOUT));
        }
        MemorySegment state = MemorySegment.ofArray(section.data());
        for (int done = 0; done < section.data().length; done += AdminQueue.BUFFER) {
            states.now().write(function, done, state, done, Math.min(AdminQueue.BUFFER, section.data().length - done));
        }
        states.now().load(function);
        // It is what a save without another stop gives.
        size = section.data().length;
    }

    /// The device was reset, or nobody moves it any more: it runs.
    void release() {
        if (stopped) {
            try {
                start();
            } catch (VfioException e) {
                // Without a physical function here another driver has it, and the virtual one's state.
                LOG.log(e.errno() == Errno.ENODEV ? Level.DEBUG : Level.WARNING, "{0}: stays stopped: {1}", device, e.getMessage());
            }
        }
    }
}
