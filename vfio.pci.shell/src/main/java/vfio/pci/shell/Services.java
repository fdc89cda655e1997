// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.List;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;

/// What a command says when a part of the runtime is missing.
final class Services {
    private Services() {
    }

    /// The service, when it is there.
    ///
    /// @throws IllegalStateException when it is not, naming who would provide it
    static <T> T require(T service, Class<T> type, String provider) {
        if (service == null) {
            throw new IllegalStateException(
                "service=%s expected=%s; its bundle is not started or not configured".formatted(type.getSimpleName(), provider));
        }
        return service;
    }

    static DeviceAdmin core(DeviceAdmin admin) {
        return require(admin, DeviceAdmin.class, "the core (vfio.pci.core)");
    }

    /// The addresses there are; none without a core.
    static List<PciAddress> known(DeviceAdmin admin) {
        return admin == null ? List.of() : admin.devices().stream().map(DeviceStatus::address).toList();
    }
}
