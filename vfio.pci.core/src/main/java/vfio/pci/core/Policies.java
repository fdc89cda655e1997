// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.MediatorPolicy;

/// What becomes of devices when their mediator goes: as somebody said last, by a command, the device's configuration, or the core's.
final class Policies {
    private final Map<PciAddress, MediatorPolicy> said = new ConcurrentHashMap<>();
    private final Map<PciAddress, MediatorPolicy> configured = new ConcurrentHashMap<>();
    private volatile MediatorPolicy byDefault = MediatorPolicy.PASS_THROUGH;

    /// What a configuration says.
    ///
    /// @throws IllegalArgumentException when it says something else
    static MediatorPolicy parse(String text) {
        return MediatorPolicy.of(text).orElseThrow(() -> new IllegalArgumentException(
            "policy=" + text + " expected=pass-through, freeze, detach or refuse"));
    }

    MediatorPolicy of(PciAddress address) {
        MediatorPolicy own = said.get(address);
        return own != null ? own : configured.getOrDefault(address, byDefault);
    }

    void byDefault(MediatorPolicy policy) {
        byDefault = policy;
    }

    void say(PciAddress address, MediatorPolicy policy) {
        said.put(address, policy);
    }

    /// A device's configuration came, or changed, or went.
    void configure(PciAddress address, Optional<MediatorPolicy> policy) {
        said.remove(address);
        policy.ifPresentOrElse(own -> configured.put(address, own), () -> configured.remove(address));
    }
}
