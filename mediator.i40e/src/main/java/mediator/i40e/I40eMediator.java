// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import vfio.pci.api.Errno;
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
    /// How pages are found out that devices write, if they can be moved.
    private volatile Optional<TrackingStrategy> migration = Optional.empty();

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
    public String name() {
        return PfBinding.DRIVER;
    }

    @Override
    public Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException {
        Optional<PfBinding> owner = physicalFunctions.stream().filter(physical -> physical.covers(function.address())).findFirst();
        if (owner.isEmpty()) {
            return Optional.empty();
        }
        if (!free.tryAcquire()) {
            throw new VfioException(Errno.ENOSPC, "mediator=i40e address=%s open=%d expected=at most %d".formatted(function.address(),
                MAX_OPEN, MAX_OPEN));
        }
        Optional<TrackingStrategy> strategy = migration;
        Optional<VfMigration> moving = strategy.flatMap(how -> VfMigration.of(owner.get(), function.address(), context, how));
        return Optional.of(new VfMediation(function.address(), context, moving, free::release));
    }
}
