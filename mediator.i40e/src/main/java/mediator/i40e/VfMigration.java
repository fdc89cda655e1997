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
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;

/// How a virtual function is moved: its physical function's firmware stops it, gives and takes its state as bytes that have a version and
/// checksums of their own, and lets it go on. Which pages it writes meanwhile is found out by a [DirtyTracking].
final class VfMigration extends MigrationDriver {
    private static final Logger LOG = System.getLogger(VfMigration.class.getName());
    private static final StateVersion VERSION = new StateVersion(1, 0);
    private static final String SECTION = "vf";
    private static final int LAYOUT = 1;
    /// What a state takes about, before one was seen.
    private static final int USUAL_SIZE = 0x2000;
    /// More than any firmware has, so that a wrong length is not taken for memory to be had.
    private static final int LARGEST_SIZE = 0x100_0000;

    private final PfOwner physical;
    private final int function;
    private final PciAddress device;
    private final DirtyTracking tracking;
    private volatile int size = USUAL_SIZE;
    private volatile boolean stopped;

    /// @param function index among those of the physical function
    /// @param device its address, for people
    VfMigration(PfOwner physical, int function, PciAddress device, DirtyTracking tracking) {
        this.physical = physical;
        this.function = function;
        this.device = device;
        this.tracking = tracking;
    }

    /// That of a virtual function of this physical one.
    static Optional<VfMigration> of(PfBinding physical, PciAddress device, PfOwner owner, MediationContext context,
            TrackingStrategy strategy) {
        OptionalInt index = physical.index(device);
        if (index.isEmpty()) {
            return Optional.empty();
        }
        int function = index.getAsInt();
        return Optional.of(new VfMigration(owner, function, device, strategy.of(device, context, new VfSight(owner, function))));
    }

    private VfStateCommands states() throws VfioException {
        return physical.now().states();
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
        int length = states().stop(function);
        stopped = true;
        if (length <= 0 || length > LARGEST_SIZE) {
            start();
            throw new VfioException(Errno.EIO, "device=%s state=0x%x bytes expected=1 to 0x%x".formatted(device, length, LARGEST_SIZE));
        }
        size = length;
    }

    @Override
    public void start() throws VfioException {
        states().restart(function);
        stopped = false;
    }

    @Override
    public List<StateSection> save() throws VfioException {
        byte[] state = new byte[size];
        MemorySegment buffer = MemorySegment.ofArray(state);
        int done = 0;
        while (done < state.length) {
            int read = states().read(function, done, buffer, done, state.length - done);
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
            states().write(function, done, state, done, Math.min(AdminQueue.BUFFER, section.data().length - done));
        }
        states().load(function);
        // It is what a save without another stop gives.
        size = section.data().length;
    }

    @Override
    public void beginTracking(DirtyLog log) throws VfioException {
        tracking.begin(log);
    }

    @Override
    public void collect(DirtyLog log) throws VfioException {
        tracking.collect(log);
    }

    @Override
    public void endTracking() {
        tracking.end();
    }

    /// A client writes registers that are claimed, before the device knows.
    void wrote(long offset, MemorySegment buffer, long bufferOffset, int count) {
        tracking.wrote(offset, buffer, bufferOffset, count);
    }

    boolean relaysInterrupts() {
        return tracking.relaysInterrupts();
    }

    /// The device raises an interrupt, before the guest has it.
    void interrupted() {
        tracking.interrupted();
    }

    /// The device was reset, or nobody moves it any more: it runs, and nobody wants to know what it writes.
    void release() {
        tracking.end();
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
