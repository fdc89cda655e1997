// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Describes the configuration to tools; the component reads it itself.
@ObjectClassDefinition(name = "Mediator for XL710 virtual functions")
@interface I40eSettings {
    @AttributeDefinition(name = "Migration", description = "Offer the migration region to devices opened from now on. Incomplete: "
        + "states change and switch trapping, but no device state is saved.")
    boolean migration() default false;
}
