// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/// Configuration of one device, factory pid `vfio.pci.device`.
@ObjectClassDefinition(name = "VFIO PCI device")
@interface DeviceConfig {
    /// See the description.
    @AttributeDefinition(description = "PCI address, as in 0000:3b:02.0")
    String address();

    /// See the description.
    @AttributeDefinition(description = "areas that can be switched to trapped, for a client that cannot be told: always trapped or mapped",
        options = {@Option("trapped"), @Option("mapped")})
    String disablable() default "trapped";

    /// See the description.
    @AttributeDefinition(description = "what becomes of the device when its mediator goes; the core's when empty",
        options = {@Option("pass-through"), @Option("freeze"), @Option("detach"), @Option("refuse")})
    String policy() default "";

    /// See the description.
    @AttributeDefinition(description = "who mediates the device, in layers, top first: names of mediators or bundles, and * for whoever"
        + " else accepts; * is at the end unless it is named, or the list ends with -", required = false)
    String[] mediators() default {};
}
