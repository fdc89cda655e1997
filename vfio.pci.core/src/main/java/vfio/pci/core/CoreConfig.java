// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/// Configuration of the core, pid `vfio.pci.core`.
@ObjectClassDefinition(name = "VFIO PCI core")
@interface CoreConfig {
    /// See the description.
    @AttributeDefinition(description = "how long a mediator that goes waits for threads inside, in milliseconds", min = "1")
    long drainTimeoutMillis() default 2000;

    /// See the description.
    @AttributeDefinition(description = "DMA mappings of a device at a time; besides, all devices together map at most half as many files as"
        + " vm.max_map_count allows the process", min = "1")
    int mostDmaMaps() default 65_535;

    /// See the description.
    @AttributeDefinition(description = "what becomes of a device when its mediator goes, unless its own configuration or vfio:policy says",
        options = {@Option("pass-through"), @Option("freeze"), @Option("detach"), @Option("refuse")})
    String policy() default "pass-through";

    /// See the description.
    @AttributeDefinition(description = "with freeze: how long accesses wait for another mediator, in milliseconds", min = "1")
    long freezeMillis() default 2000;

    /// See the description.
    @AttributeDefinition(description = "faults of a mediation after which it is unbound", min = "1")
    int mostMediationFaults() default 16;
}
