// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Describes the configuration to tools. Everything is text here: the component reads it itself, so that a wrong value is one clear line.
@ObjectClassDefinition(name = "Simulated IGD", description = "An integrated graphics device.")
@interface IgdSettings {
    @AttributeDefinition(name = "Address", description = "PCI address.")
    String address() default "0000:00:02.0";

    @AttributeDefinition(name = "Id", description = "Vendor and device.")
    String id() default "8086:5927";

    @AttributeDefinition(name = "Aperture", description = "MiB of BAR 2: 128, 256, 512, 1024, 2048 or 4096.")
    String aperture_mib() default "256";
}
