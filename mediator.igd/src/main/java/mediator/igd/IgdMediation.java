// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/// The mediation of one open graphics device: the first trapped access below the area starts trapping in it, the next access inside the
/// area ends that again. Every access passes through.
///
/// Threads may race: one that starts trapping just after another ended it leaves it on until the next access inside the area, which is then
/// trapped and ends it.
final class IgdMediation extends Mediation {
    private static final System.Logger LOG = System.getLogger(IgdMediation.class.getName());

    private final MediationContext context;
    private final Runnable closed;
    private final AtomicBoolean started = new AtomicBoolean();

    /// What was handed over by one whose area was trapped when trapping could not be started again at once.
    private final AtomicBoolean startsAgain = new AtomicBoolean();

    /// @param closed told when the mediation ends
    IgdMediation(MediationContext context, Runnable closed) {
        this.context = context;
        this.closed = closed;
    }

    @Override
    public Set<Capability> capabilities() {
        return Set.of(Capability.DYNAMIC_TRAP_BAR);
    }

    @Override
    public List<Claim> claims() {
        return List.of(new Claim(IgdArea.BAR, IgdArea.STARTING), new Claim(IgdArea.BAR, IgdArea.DISABLABLE));
    }

    @Override
    public RegionInfo regionInfo(RegionInfo defaults) {
        if (defaults.index() != IgdArea.BAR || defaults.size() < IgdArea.DISABLABLE.end()) {
            return defaults;
        }
        MmapArea area = new MmapArea(IgdArea.DISABLABLE.offset(), IgdArea.DISABLABLE.size(), true);
        return defaults.with(RegionInfo.Flag.MMAP).with(new RegionCapability.SparseMmap(List.of(area)));
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return seen(region, offset, count);
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        return seen(region, offset, count);
    }

    private Verdict seen(int region, long offset, int count) throws VfioException {
        if (region != IgdArea.BAR) {
            return Verdict.PASS_THROUGH;
        }
        // In this order, so that an access across the border does not leave trapping on.
        if (startsAgain.get() && startsAgain.compareAndSet(true, false)) {
            context.trap(true);
        }
        if (IgdArea.STARTING.overlaps(offset, count) && !started.get() && started.compareAndSet(false, true)) {
            context.trap(true);
        }
        if (IgdArea.DISABLABLE.overlaps(offset, count) && context.trapping()) {
            context.untrap();
        }
        return Verdict.PASS_THROUGH;
    }

    @Override
    public Optional<Handover> handover() {
        return Optional.of(new IgdHandover(() -> new IgdHandover.State(started.get(), startsAgain.get() || context.trapping()),
            this::goOnFrom));
    }

    private void goOnFrom(IgdHandover.State state) {
        started.set(state.started());
        if (state.trapping()) {
            try {
                context.trap(true);
            } catch (VfioException e) {
                // A client that had been told it may map the area again has not unmapped it: it is told by its next access.
                LOG.log(System.Logger.Level.DEBUG, "mediator.igd: {0}", e.getMessage());
                startsAgain.set(true);
            }
        }
    }

    @Override
    public void close() {
        closed.run();
    }
}
