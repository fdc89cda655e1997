// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.plan;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.admin.ProvisionPlan.AffectedDevice;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.admin.ServedStatus;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.function.PciFunction;
import vfio.pci.provision.bundles.RunningDevices;

/// Which open devices lose something when bundles stop. A device is named once, by the worst: the core, its function, its
/// transport, its mediator.
final class BlastRadius {
    private static final String DETACH = "detach";

    private final RunningDevices devices;

    BlastRadius(RunningDevices devices) {
        this.devices = devices;
    }

    /// Devices that are affected when these bundles stop, by address.
    List<AffectedDevice> of(Collection<Bundle> bundles) {
        Map<PciAddress, AffectedDevice> affected = new TreeMap<>();
        Map<PciAddress, DeviceStatus> open = devices.open().stream().collect(Collectors.toMap(DeviceStatus::address, device -> device));
        Map<PciAddress, MediatorPolicy> policies = devices.policies();
        Set<Long> ids = bundles.stream().map(Bundle::getBundleId).collect(Collectors.toSet());
        for (ServiceReference<VfioPci> core : devices.of(VfioPci.class, ids)) {
            open.keySet().forEach(address -> add(affected, open, address, "the core of " + core.getBundle(), DETACH));
        }
        for (ServiceReference<PciFunction> function : devices.of(PciFunction.class, ids)) {
            Optional<PciAddress> address = devices.ask(function, present -> Optional.of(present.address()), Optional.empty());
            address.ifPresent(at -> add(affected, open, at, "its function of " + function.getBundle(), DETACH));
        }
        for (ServiceReference<ServeAdmin> transport : devices.of(ServeAdmin.class, ids)) {
            devices.ask(transport, ServeAdmin::served, List.<ServedStatus>of()).forEach(served -> add(affected, open, served.address(),
                "its socket of " + transport.getBundle(), DETACH));
        }
        for (MediatorStatus mediator : devices.mediators()) {
            if (ids.contains(mediator.bundleId())) {
                mediator.devices().forEach(address -> add(affected, open, address,
                    "mediator %s of %s".formatted(mediator.name(), mediator.bundle()), follows(policies.get(address))));
            }
        }
        return List.copyOf(affected.values());
    }

    /// Only a command that unloads a mediator asks those who refuse: one that goes otherwise leaves them without.
    private static String follows(MediatorPolicy policy) {
        return policy == null || policy == MediatorPolicy.REFUSE ? MediatorPolicy.PASS_THROUGH.toString() : policy.toString();
    }

    private static void add(Map<PciAddress, AffectedDevice> affected, Map<PciAddress, DeviceStatus> open, PciAddress address, String loses,
            String follows) {
        DeviceStatus device = open.get(address);
        if (device != null) {
            affected.putIfAbsent(address, new AffectedDevice(address, device.clients(), loses, follows));
        }
    }
}
