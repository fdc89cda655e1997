// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;

/// The driver of physical functions. It binds those it knows as `i40e`, waits where another driver has one, and publishes the mediator
/// for as long as it drives at least one.
///
/// `publishing` makes one change of that at a time; it is held while the service comes and goes, which lets the core take mediations out
/// of open devices: those who are called then never come back here.
@Component(name = "mediator.i40e", immediate = true, service = {})
@Designate(ocd = I40eSettings.class)
public final class PfDriver implements I40eMediator.Succession {
    private static final Logger LOG = System.getLogger(PfDriver.class.getName());

    private final BundleContext context;
    private final I40eMediator mediator = new I40eMediator(this);
    private final Map<PciFunction, Candidate> candidates = new ConcurrentHashMap<>();
    private final ReentrantLock publishing = new ReentrantLock();
    /// Guarded by `publishing`.
    private Optional<ServiceRegistration<MediateOps>> published = Optional.empty();
    /// Guarded by `publishing`.
    private boolean ended;

    /// Drives nothing yet: functions are handed in one by one.
    @Activate
    public PfDriver(BundleContext context, Map<String, Object> properties) {
        this.context = context;
        modified(properties);
    }

    @Modified
    void modified(Map<String, Object> properties) {
        mediator.offerMigration(I40eConfig.strategy(properties));
    }

    /// A function appeared.
    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC, updated = "functionChanged",
        unbind = "functionGone")
    void functionAppeared(PciFunction function) {
        if (PfId.fits(function.id())) {
            Candidate candidate = new Candidate(function);
            candidates.put(function, candidate);
            drive(candidate);
        }
    }

    /// A function's driver came or went.
    void functionChanged(PciFunction function) {
        Candidate candidate = candidates.get(function);
        if (candidate != null && function.driver().isEmpty()) {
            drive(candidate);
        }
    }

    /// A function goes.
    void functionGone(PciFunction function) {
        Candidate candidate = candidates.remove(function);
        if (candidate != null) {
            candidate.end().ifPresent(this::release);
        }
    }

    /// Another driver is to have the physical functions; the mediator stays, for it may have to go on.
    @Override
    public void standAside() {
        for (Candidate candidate : candidates.values()) {
            candidate.standAside().ifPresent(binding -> {
                mediator.remove(binding);
                binding.close();
                LOG.log(Level.INFO, "{0}: left to another driver", binding.address());
            });
        }
    }

    @Override
    public void standIn() {
        candidates.values().stream().filter(Candidate::standIn).forEach(this::drive);
    }

    @Override
    public void retire() {
        publishing.lock();
        try {
            if (mediator.drivesNothing()) {
                withdraw();
            }
        } finally {
            publishing.unlock();
        }
        standIn();
    }

    /// The mediator goes first and the physical functions after it.
    @Deactivate
    void deactivate() {
        publishing.lock();
        try {
            ended = true;
            withdraw();
        } finally {
            publishing.unlock();
        }
        candidates.keySet().forEach(this::functionGone);
    }

    private void drive(Candidate candidate) {
        candidate.tryBind().ifPresent(binding -> {
            if (!publish(candidate, binding)) {
                candidate.end().ifPresent(this::release);
            }
        });
    }

    /// Lets the mediator have a physical function.
    ///
    /// @return false when the driver has ended
    private boolean publish(Candidate candidate, PfBinding binding) {
        publishing.lock();
        try {
            if (ended) {
                return false;
            }
            if (!candidate.holds(binding)) {
                // The function went in between, and the binding with it.
                return true;
            }
            mediator.add(binding);
            LOG.log(Level.INFO, "{0}: driven", binding.address());
            if (published.isEmpty()) {
                published = Optional.of(context.registerService(MediateOps.class, mediator, null));
            }
            return true;
        } finally {
            publishing.unlock();
        }
    }

    private void release(PfBinding binding) {
        publishing.lock();
        try {
            mediator.remove(binding);
            if (mediator.drivesNothing()) {
                withdraw();
            }
        } finally {
            publishing.unlock();
        }
        binding.close();
        LOG.log(Level.INFO, "{0}: not driven any more", binding.address());
    }

    private void withdraw() {
        Optional<ServiceRegistration<MediateOps>> last = published;
        published = Optional.empty();
        last.ifPresent(ServiceRegistration::unregister);
    }
}
