// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/// Describes the configuration to tools. Everything is text here: the component reads it itself, so that a wrong value is one clear line.
@ObjectClassDefinition(name = "Simulated XL710", description = "A physical function with its virtual functions.")
@interface Xl710Settings {
    @AttributeDefinition(name = "Address", description = "PCI address of the physical function.")
    String address() default "0000:3b:00.0";

    @AttributeDefinition(name = "Id", description = "Vendor and device of the physical function.")
    String id() default "8086:1583";

    @AttributeDefinition(name = "Virtual functions", description = "How many virtual functions are enabled, 0 to 64.")
    String vfs() default "4";

    @AttributeDefinition(name = "Id of the virtual functions", description = "Vendor and device of each virtual function.")
    String vf_id() default "8086:154c";

    @AttributeDefinition(name = "Offset", description = "Routing ids from the physical to the first virtual function.")
    String vf_offset() default "16";

    @AttributeDefinition(name = "Stride", description = "Routing ids from one virtual function to the next.")
    String vf_stride() default "1";

    @AttributeDefinition(name = "Queue pairs", description = "Most queue pairs of each virtual function, 1 to 4.")
    String queue_pairs() default "4";

    @AttributeDefinition(name = "Link speed", description = "Mbit/s: 1000, 2500, 5000, 10000, 20000, 25000 or 40000.")
    String link_speed() default "40000";

    @AttributeDefinition(name = "Hardware address", description = "Of the first virtual function; the others follow. By default it names "
        + "the card's place.")
    String mac();

    @AttributeDefinition(name = "Doorbells", description = "Whether the pages with queue tails may be mapped: mapped or trapped. "
        + "doorbells.N says it of virtual function N alone.")
    String doorbells() default "mapped";

    @AttributeDefinition(name = "Uplink", description = "What is behind the switch: none, tap:INTERFACE, or "
        + "udp:ADDRESS:PORT-ADDRESS:PORT, where it receives and where it sends.")
    String uplink() default "none";
}
