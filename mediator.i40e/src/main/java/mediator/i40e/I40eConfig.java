// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;

/// The configuration of this mediator. What is wrong in it is logged as an error, and nothing can be moved until it is right: a strategy
/// that was not asked for is not put in its place.
final class I40eConfig {
    private static final Logger LOG = System.getLogger(I40eConfig.class.getName());

    private static final String DEVICE_LOG = "device-log";
    private static final String DOORBELL_TRAP = "doorbell-trap";
    private static final String INTERRUPT_RELAY = "interrupt-relay";
    private static final String ALL = "all";

    private I40eConfig() {
    }

    /// How pages are found out that devices write, if devices can be moved.
    static Optional<TrackingStrategy> strategy(Map<String, Object> properties) {
        String name = text(properties, "dirty-tracking", DEVICE_LOG);
        boolean experimental = flag(properties, "experimental");
        if (!flag(properties, "migration")) {
            return Optional.empty();
        }
        return switch (name) {
            case DEVICE_LOG -> Optional.of((device, context, sight) -> new DeviceLog());
            case DOORBELL_TRAP -> Optional.of(DoorbellTrap::new);
            case ALL -> Optional.of((device, context, sight) -> new All());
            case INTERRUPT_RELAY -> {
                if (!experimental) {
                    LOG.log(Level.ERROR, "mediator.i40e: dirty-tracking={0} misses pages: for experiments only, with experimental=true; "
                        + "no device can be moved", name);
                }
                yield experimental ? Optional.of(InterruptRelay::new) : Optional.empty();
            }
            default -> {
                LOG.log(Level.ERROR, "mediator.i40e: dirty-tracking={0} expected=one of {1}, {2}, {3}, {4}; no device can be moved", name,
                    DEVICE_LOG, DOORBELL_TRAP, ALL, INTERRUPT_RELAY);
                yield Optional.empty();
            }
        };
    }

    private static boolean flag(Map<String, Object> properties, String key) {
        String value = text(properties, key, "false");
        if (!value.equals("true") && !value.equals("false")) {
            LOG.log(Level.ERROR, "mediator.i40e: {0}={1} expected=true or false; taken as false", key, value);
        }
        return value.equals("true");
    }

    private static String text(Map<String, Object> properties, String key, String standard) {
        return String.valueOf(properties.getOrDefault(key, standard)).trim();
    }
}
