// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DeviceState;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;

/// The mediation of one open virtual function. It runs passed through but for two registers that tell of a reset; while its state is being
/// saved the tails that hand memory to the device are trapped and seen too.
final class VfMediation extends Mediation {
    private static final Logger LOG = System.getLogger(VfMediation.class.getName());
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PciAddress device;
    private final MediationContext context;
    private final boolean migrationRegion;
    private final Optional<VfMigration> migration;
    private final Runnable closed;
    /// Present from the start of saving to its end.
    private volatile Optional<TailTracking> tracking = Optional.empty();

    /// @param migrationRegion whether it offers the migration region
    /// @param migration how the device is moved, if it can be
    /// @param closed told when the mediation ends
    VfMediation(PciAddress device, MediationContext context, boolean migrationRegion, Optional<VfMigration> migration, Runnable closed) {
        this.device = device;
        this.context = context;
        this.migrationRegion = migrationRegion;
        this.migration = migration;
        this.closed = closed;
    }

    @Override
    public Set<Capability> capabilities() {
        return migrationRegion ? Set.of(Capability.DYNAMIC_TRAP_BAR, Capability.MIGRATION) : Set.of(Capability.DYNAMIC_TRAP_BAR);
    }

    @Override
    public List<Claim> claims() {
        return VfRegister.always();
    }

    @Override
    public RegionInfo regionInfo(RegionInfo defaults) {
        if (defaults.index() != VfRegister.BAR || defaults.size() < VfRegister.LEAST_SIZE) {
            return defaults;
        }
        return defaults.with(RegionInfo.Flag.MMAP).with(new RegionCapability.SparseMmap(VfRegister.areas(defaults.size())));
    }

    /// A read of VFGEN_RSTAT is answered from below, so that the answer is seen; everything else passes through.
    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        if (region != VfRegister.BAR || !VfRegister.VFGEN_RSTAT.isWhole(offset, count)) {
            return Verdict.PASS_THROUGH;
        }
        context.readBelow(region, offset, buffer, bufferOffset, count);
        if ((buffer.get(DWORD, bufferOffset) & VfRegister.VFR_STATE_MASK) == 0) {
            startedOver("reset in progress");
        }
        return Verdict.HANDLED;
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (region != VfRegister.BAR) {
            return Verdict.PASS_THROUGH;
        }
        if (migration.isPresent()) {
            migration.get().wrote(offset, buffer, bufferOffset, count);
        }
        if (VfRegister.VF_ARQLEN1.isWhole(offset, count)) {
            boolean enabled = (buffer.get(DWORD, bufferOffset) & VfRegister.ARQENABLE) != 0;
            startedOver(enabled ? "mailbox on" : "mailbox off");
            return Verdict.PASS_THROUGH;
        }
        // Read once: saving may end on another thread.
        Optional<TailTracking> tails = tracking;
        if (tails.isPresent()) {
            track(tails.get(), offset, buffer, bufferOffset, count);
        }
        return Verdict.PASS_THROUGH;
    }

    private static void track(TailTracking tails, long offset, MemorySegment buffer, long bufferOffset, int count) {
        if (VfRegister.QRX_TAIL1.isWhole(offset, count)) {
            tails.receiveTail(VfRegister.QRX_TAIL1.index(offset), buffer.get(DWORD, bufferOffset));
        } else if (VfRegister.QRX_TAIL1.overlaps(offset, count)) {
            int last = Math.min(VfRegister.QRX_TAIL1.index(offset + count - 1), VfRegister.QRX_TAIL1.count() - 1);
            for (int queue = Math.max(VfRegister.QRX_TAIL1.index(offset), 0); queue <= last; queue++) {
                tails.unknownReceiveTail(queue);
            }
        }
        if (VfRegister.VF_ARQT1.isWhole(offset, count)) {
            tails.mailboxTail(buffer.get(DWORD, bufferOffset));
        } else if (VfRegister.VF_ARQT1.overlaps(offset, count)) {
            tails.unknownMailboxTail();
        }
    }

    private void startedOver(String how) {
        if (LOG.isLoggable(Level.DEBUG)) {
            LOG.log(Level.DEBUG, "{0}: {1}", device, how);
        }
        Optional<TailTracking> tails = tracking;
        if (tails.isPresent()) {
            tails.get().forget();
        }
    }

    /// Trapping is on from the start of saving until the device runs on here, or is reset. Tails are claimed before they trap, so that no
    /// write is missed, and given up after.
    @Override
    public void deviceState(DeviceState from, DeviceState to) throws VfioException {
        if (from == to) {
            return;
        }
        MigrationStates.check(device, from, to);
        switch (to) {
            case SAVING_RUNNING -> {
                tracking = Optional.of(new TailTracking());
                context.claim(VfRegister.whileTracking());
                trap();
            }
            case RUNNING -> {
                context.untrap();
                endTracking();
            }
            case STOPPED -> endTracking();
            // What was tracked is needed for the last scan; a target starts with nothing.
            case SAVING, RESUMING -> { }
            case RESUMING_RUNNING -> throw new IllegalStateException("state=%s expected=refused above".formatted(to));
        }
    }

    private void trap() throws VfioException {
        boolean trapped = false;
        try {
            context.trap(true);
            trapped = true;
        } finally {
            if (!trapped) {
                endTracking();
            }
        }
    }

    /// What the tails were, while the state is being saved.
    Optional<TailTracking> tracking() {
        return tracking;
    }

    @Override
    public Optional<MigrationDriver> migration() {
        return migration.map(MigrationDriver.class::cast);
    }

    @Override
    public boolean relaysInterrupts() {
        return migration.isPresent() && migration.get().relaysInterrupts();
    }

    @Override
    public void interrupt(InterruptKind kind, int vector) {
        if (migration.isPresent()) {
            migration.get().interrupted();
        }
    }

    @Override
    public void reset() {
        migration.ifPresent(VfMigration::release);
        context.untrap();
        endTracking();
    }

    @Override
    public void close() {
        migration.ifPresent(VfMigration::release);
        tracking = Optional.empty();
        closed.run();
    }

    private void endTracking() {
        if (tracking.isPresent()) {
            context.claim(VfRegister.always());
            tracking = Optional.empty();
        }
    }
}
