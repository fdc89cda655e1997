// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Describes the configuration to tools; the component reads it itself. Rules, keys `rule.NAME`, are as many as somebody writes, which a
/// description cannot say.
@ObjectClassDefinition(name = "Mediator that guards registers")
@interface GuardSettings {
    @AttributeDefinition(name = "Devices", description = "Which to guard, each as VVVV:DDDD, VVVV:* or DDDD:BB:DD.F.")
    String[] devices();

    @AttributeDefinition(name = "Ranking", description = "Mediators with a higher one are asked first.", required = false)
    int service_ranking() default 0;
}
