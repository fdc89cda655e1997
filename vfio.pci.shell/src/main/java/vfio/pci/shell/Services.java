// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell;

import java.util.List;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;

/// What all commands say alike: that a part of the runtime is missing, that something is no address.
public final class Services {
    private Services() {
    }

    /// The service, when it is there.
    ///
    /// @throws IllegalStateException when it is not, naming who would provide it
    public static <T> T require(T service, Class<T> type, String provider) {
        if (service == null) {
            throw new IllegalStateException(
                "service=%s expected=%s; its bundle is not started or not configured".formatted(type.getSimpleName(), provider));
        }
        return service;
    }

    static DeviceAdmin core(DeviceAdmin admin) {
        return require(admin, DeviceAdmin.class, "the core (vfio.pci.core)");
    }

    /// The address that was typed.
    ///
    /// @param known the addresses there are, for the message
    /// @throws IllegalArgumentException when the text is none
    public static PciAddress address(String text, List<PciAddress> known) {
        try {
            return PciAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + "; known: " + (known.isEmpty() ? "none" : join(known)));
        }
    }

    static String join(List<PciAddress> addresses) {
        return String.join(", ", addresses.stream().map(PciAddress::toString).toList());
    }

    /// The addresses there are; none without a core.
    public static List<PciAddress> known(DeviceAdmin admin) {
        return admin == null ? List.of() : admin.devices().stream().map(DeviceStatus::address).toList();
    }
}
