// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.bundles;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.admin.MediatorStatus;

/// Devices and mediators as the core shows them. The core is looked up each time and not kept: it uses this bundle as this bundle uses it.
public final class RunningDevices {
    private static final System.Logger LOG = System.getLogger(RunningDevices.class.getName());

    private final BundleContext context;

    /// Of this framework.
    public RunningDevices(BundleContext context) {
        this.context = context;
    }

    /// Mediators in the order they are asked; none without a core.
    public List<MediatorStatus> mediators() {
        return core(DeviceAdmin::mediators, List.of());
    }

    /// Devices that are open, by address; none without a core.
    public List<DeviceStatus> open() {
        return core(DeviceAdmin::devices, List.<DeviceStatus>of()).stream().filter(DeviceStatus::open).toList();
    }

    /// What each open device does when its mediator goes, by address; a device that has gone meanwhile is left out.
    public Map<PciAddress, MediatorPolicy> policies() {
        return core(admin -> {
            Map<PciAddress, MediatorPolicy> policies = new TreeMap<>();
            admin.devices().stream().filter(DeviceStatus::open).forEach(device -> {
                try {
                    policies.put(device.address(), admin.policy(device.address()));
                } catch (VfioException e) {
                    LOG.log(System.Logger.Level.DEBUG, "{0} has gone meanwhile: {1}", device.address(), e.getMessage());
                }
            });
            return policies;
        }, Map.of());
    }

    /// Whether the core knows a mediator of this bundle.
    public boolean mediates(long bundleId) {
        return mediators().stream().anyMatch(mediator -> mediator.bundleId() == bundleId);
    }

    /// Whether a device is mediated by this bundle, or a thread is stuck in it.
    public boolean uses(long bundleId) {
        return mediators().stream().filter(mediator -> mediator.bundleId() == bundleId)
            .anyMatch(mediator -> !mediator.devices().isEmpty() || !mediator.stuck().isEmpty());
    }

    /// How many devices mediators of this bundle have accepted so far.
    public long accepted(long bundleId) {
        return mediators().stream().filter(mediator -> mediator.bundleId() == bundleId).mapToLong(MediatorStatus::accepted).sum();
    }

    /// Devices that this bundle mediates, each with the name of its mediator.
    Map<PciAddress, String> mediatedBy(long bundleId) {
        Map<PciAddress, String> mediated = new TreeMap<>();
        mediators().stream().filter(mediator -> mediator.bundleId() == bundleId)
            .forEach(mediator -> mediator.devices().forEach(address -> mediated.put(address, mediator.name())));
        return mediated;
    }

    /// Binds devices to the mediators of these names, those that are open and have none.
    void bindAgain(Map<PciAddress, String> mediated) {
        open().stream().filter(device -> device.mediator().isEmpty() && mediated.containsKey(device.address())).forEach(device ->
            core(admin -> bind(admin, device.address(), mediated.get(device.address())), Optional.empty()).ifPresent(failure ->
                LOG.log(System.Logger.Level.WARNING, "{0} goes on without {1}: {2}", device.address(), mediated.get(device.address()),
                    failure)));
    }

    private static Optional<String> bind(DeviceAdmin admin, PciAddress address, String mediator) {
        try {
            return admin.rebind(address, Optional.of(mediator)).failure();
        } catch (VfioException e) {
            return Optional.of(e.getMessage());
        }
    }

    private <T> T core(Function<DeviceAdmin, T> question, T otherwise) {
        ServiceReference<DeviceAdmin> reference = context.getServiceReference(DeviceAdmin.class);
        return reference == null ? otherwise : ask(reference, question, otherwise);
    }

    /// References of a service whose bundle is one of these.
    public <T> Collection<ServiceReference<T>> of(Class<T> service, Collection<Long> bundleIds) {
        try {
            return context.getServiceReferences(service, null).stream()
                .filter(reference -> reference.getBundle() != null && bundleIds.contains(reference.getBundle().getBundleId())).toList();
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException("no filter is a filter", e);
        }
    }

    /// Asks a service, if it is still there.
    public <T, R> R ask(ServiceReference<T> reference, Function<T, R> question, R otherwise) {
        T service = context.getService(reference);
        if (service == null) {
            return otherwise;
        }
        try {
            return question.apply(service);
        } finally {
            context.ungetService(reference);
        }
    }
}
