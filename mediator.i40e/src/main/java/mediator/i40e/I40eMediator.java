// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/// Accepts the virtual functions of the physical ones that are driven.
final class I40eMediator implements MediateOps {
    /// How many devices it mediates at a time, as the sample does.
    static final int MAX_OPEN = 1024;

    private final Semaphore free = new Semaphore(MAX_OPEN);
    private final List<PfBinding> physicalFunctions = new CopyOnWriteArrayList<>();
    private final Succession succession;
    /// Whether another mediator is taking its devices over.
    private volatile boolean aside;
    /// How pages are found out that devices write, if they can be moved.
    private volatile Optional<TrackingStrategy> migration = Optional.empty();

    /// What is to be done about the physical functions when another mediator takes the virtual ones over.
    interface Succession {
        /// Lets go of them.
        void standAside();

        /// Has them again.
        void standIn() throws VfioException;

        /// They are the other one's for good, and no device is left: waits for them as if it had just come.
        void retire();
    }

    I40eMediator(Succession succession) {
        this.succession = succession;
    }

    /// Whether devices opened from now on can be moved, and how pages are found out then that they write.
    void offerMigration(Optional<TrackingStrategy> strategy) {
        migration = strategy;
    }

    void add(PfBinding physicalFunction) {
        physicalFunctions.add(physicalFunction);
    }

    void remove(PfBinding physicalFunction) {
        physicalFunctions.remove(physicalFunction);
    }

    boolean drivesNothing() {
        return physicalFunctions.isEmpty();
    }

    @Override
    public void standAside() {
        aside = true;
        succession.standAside();
    }

    @Override
    public void standIn() throws VfioException {
        aside = false;
        succession.standIn();
        if (drivesNothing()) {
            throw new VfioException(Errno.EBUSY, "mediator=i40e expected=a physical function that can be had again");
        }
    }

    private void closed() {
        free.release();
        if (aside && free.availablePermits() == MAX_OPEN) {
            aside = false;
            succession.retire();
        }
    }

    private Optional<PfBinding> owner(PciAddress address) {
        return physicalFunctions.stream().filter(physical -> physical.covers(address)).findFirst();
    }

    private PfBinding driven(PciAddress address) throws VfioException {
        return owner(address).orElseThrow(() -> new VfioException(Errno.ENODEV,
            "address=%s expected=a physical function that is driven".formatted(address)));
    }

    @Override
    public String name() {
        return PfBinding.DRIVER;
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException {
        PciAddress address = function.address();
        Optional<PfBinding> owner = owner(address);
        if (owner.isEmpty()) {
            return Optional.empty();
        }
        if (!free.tryAcquire()) {
            throw new VfioException(Errno.ENOSPC, "mediator=i40e address=%s open=%d expected=at most %d".formatted(address, MAX_OPEN,
                MAX_OPEN));
        }
        Optional<VfMigration> moving = migration.flatMap(how -> VfMigration.of(owner.get(), address, () -> driven(address), context, how));
        return Optional.of(new VfMediation(address, context, moving, this::closed));
    }
}
