// SPDX-License-Identifier: Apache-2.0
package vfio.migrate;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Configuration `vfio.migrate`.
@ObjectClassDefinition(name = "Moving machines")
@interface MigrateSettings {
    /// See the description.
    @AttributeDefinition(description = "Path of the socket where VMMs register; empty for none")
    String socket() default "";
}
