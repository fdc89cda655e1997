// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/// Describes the configuration to tools; the component reads it itself.
@ObjectClassDefinition(name = "Mediator for XL710 virtual functions")
@interface I40eSettings {
    @AttributeDefinition(name = "Migration", description = "Devices opened from now on can be moved, by the features of Linux's protocol "
        + "and by the proposal's migration region.")
    boolean migration() default false;

    @AttributeDefinition(name = "Dirty tracking", description = "How pages are found out that a device writes while it is moved.",
        options = {@Option("device-log"), @Option("doorbell-trap"), @Option("all"), @Option("interrupt-relay")})
    String dirty$_$tracking() default "device-log";

    @AttributeDefinition(name = "Experimental", description = "Allows interrupt-relay, which misses pages.")
    boolean experimental() default false;
}
