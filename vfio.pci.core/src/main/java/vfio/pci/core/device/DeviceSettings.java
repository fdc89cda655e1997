// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;

/// What is configured for a device.
///
/// @param mapDisablable whether a client that cannot be told of trapping may map disablable areas even so; else they trap for it always
/// @param drainTimeout how long a mediator that goes waits for threads inside
/// @param mostMaps DMA mappings at a time
/// @param mostFaults bugs of a mediation's after which it is unbound
public record DeviceSettings(boolean mapDisablable, Duration drainTimeout, int mostMaps, int mostFaults) {
    /// As configured for nobody in particular.
    public static final DeviceSettings DEFAULT = new DeviceSettings(false, Duration.ofSeconds(2), 65_535, 16);

    /// How long clients are waited for that are to act on a switch of trapping: shorter than whatever waits for who waits here.
    public Duration acknowledgeTimeout() {
        return drainTimeout.dividedBy(2);
    }

    /// The same with another answer to one question.
    public DeviceSettings withMapDisablable(boolean map) {
        return new DeviceSettings(map, drainTimeout, mostMaps, mostFaults);
    }
}
