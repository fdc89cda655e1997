// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import vfio.pci.api.PciAddress;
import vfio.pci.core.binding.MediatorStack;

/// Who is to mediate devices, in layers: as somebody said last, by a command or the device's configuration.
final class Stacks {
    private final Map<PciAddress, MediatorStack> said = new ConcurrentHashMap<>();
    private final Map<PciAddress, MediatorStack> configured = new ConcurrentHashMap<>();

    /// What a configuration says: a list, or names with commas.
    ///
    /// @throws IllegalArgumentException naming what is wrong and what was expected
    static Optional<MediatorStack> parse(String... texts) {
        List<String> names = Arrays.stream(texts).flatMap(text -> Arrays.stream(text.split(","))).toList();
        return MediatorStack.of(names);
    }

    MediatorStack of(PciAddress address) {
        MediatorStack own = said.get(address);
        return own != null ? own : configured.getOrDefault(address, MediatorStack.SINGLE);
    }

    void say(PciAddress address, MediatorStack stack) {
        said.put(address, stack);
    }

    /// A device's configuration came, or changed, or went.
    void configure(PciAddress address, Optional<MediatorStack> stack) {
        said.remove(address);
        stack.ifPresentOrElse(own -> configured.put(address, own), () -> configured.remove(address));
    }
}
