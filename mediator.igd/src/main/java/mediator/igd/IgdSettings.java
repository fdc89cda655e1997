// SPDX-License-Identifier: Apache-2.0
package mediator.igd;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Describes the configuration to tools; the component reads it itself.
@ObjectClassDefinition(name = "Mediator for Intel graphics")
@interface IgdSettings {
    @AttributeDefinition(name = "More ids", description = "Devices to mediate besides the built-in ones, each as 8086:DDDD.",
        required = false)
    String[] ids() default {};
}
