// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import java.util.Optional;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.Designate;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.core.binding.MediatorStack;

/// One `vfio.pci.device~NAME` configuration. A bad value leaves the component inactive, and the exception's message in the log.
@Component(service = ConfiguredDevice.class, configurationPid = "vfio.pci.device", configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = DeviceConfig.class, factory = true)
public final class ConfiguredDevice {
    private final PciAddress address;
    private final boolean mapDisablable;
    private final Optional<MediatorPolicy> policy;
    private final Optional<MediatorStack> stack;

    /// Reads the configuration.
    @Activate
    public ConfiguredDevice(DeviceConfig config) {
        address = PciAddress.parse(config.address());
        mapDisablable = switch (config.disablable()) {
            case "mapped" -> true;
            case "trapped" -> false;
            default -> throw new IllegalArgumentException("disablable=" + config.disablable() + " expected=trapped or mapped");
        };
        policy = config.policy().isEmpty() ? Optional.empty() : Optional.of(Policies.parse(config.policy()));
        stack = Stacks.parse(config.mediators());
    }

    Optional<MediatorPolicy> policy() {
        return policy;
    }

    Optional<MediatorStack> stack() {
        return stack;
    }

    PciAddress address() {
        return address;
    }

    boolean mapDisablable() {
        return mapDisablable;
    }
}
