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
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;

/// The mediation of one open virtual function. It runs passed through but for two registers that tell of a reset; what
/// else is seen while dirty pages are tracked a [DirtyTracking] claims.
final class VfMediation extends Mediation {
    private static final Logger LOG = System.getLogger(VfMediation.class.getName());
    private static final ValueLayout.OfInt DWORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PciAddress device;
    private final MediationContext context;
    private final Optional<VfMigration> migration;
    private final Runnable closed;

    /// @param migration how the device is moved, if it can be; with it there is the migration region
    /// @param closed told when the mediation ends
    VfMediation(PciAddress device, MediationContext context, Optional<VfMigration> migration, Runnable closed) {
        this.device = device;
        this.context = context;
        this.migration = migration;
        this.closed = closed;
    }

    @Override
    public Set<Capability> capabilities() {
        return migration.isPresent() ? Set.of(Capability.DYNAMIC_TRAP_BAR, Capability.MIGRATION) : Set.of(Capability.DYNAMIC_TRAP_BAR);
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
        }
        return Verdict.PASS_THROUGH;
    }

    private void startedOver(String how) {
        if (LOG.isLoggable(Level.DEBUG)) {
            LOG.log(Level.DEBUG, "{0}: {1}", device, how);
        }
    }

    /// It keeps nothing but what it tracks for a client that moves the device: then it is not exchanged.
    @Override
    public boolean stateless() {
        return true;
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
    }

    @Override
    public void close() {
        migration.ifPresent(VfMigration::release);
        closed.run();
    }
}
