// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.bundles;

import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MediatorStatus;

/// Devices and mediators as the core shows them. The core is looked up each time and not kept: it uses this bundle as this bundle uses it.
public final class RunningDevices {
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
