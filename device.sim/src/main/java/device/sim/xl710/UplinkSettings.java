// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.settings.SettingsException;
import device.sim.wire.DatagramUplink;
import device.sim.wire.Switch;
import device.sim.wire.TapUplink;
import device.sim.wire.Uplink;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import vfio.pci.api.VfioException;

/// What is behind a card's switch, as its configuration says: `none`, `tap:INTERFACE`, or `udp:ADDRESS:PORT-ADDRESS:PORT` with where it
/// receives and where it sends, both numeric.
sealed interface UplinkSettings {
    /// Nothing.
    record None() implements UplinkSettings {
    }

    /// An interface of the host.
    ///
    /// @param name of the interface
    record TapInterface(String name) implements UplinkSettings {
    }

    /// A peer that gets frames as datagrams.
    ///
    /// @param local where it receives
    /// @param peer where it sends
    record Datagrams(InetSocketAddress local, InetSocketAddress peer) implements UplinkSettings {
    }

    /// Reads the text.
    ///
    /// @throws SettingsException when it is none of them
    static UplinkSettings parse(String text) {
        if (text.equals("none")) {
            return new None();
        }
        if (text.matches("tap:[^/\\s]{1,15}")) {
            return new TapInterface(text.substring("tap:".length()));
        }
        Matcher datagrams = Pattern.compile("udp:([0-9.]+):([0-9]{1,5})-([0-9.]+):([0-9]{1,5})").matcher(text);
        if (datagrams.matches()) {
            try {
                return new Datagrams(new InetSocketAddress(datagrams.group(1), Integer.parseInt(datagrams.group(2))),
                    new InetSocketAddress(datagrams.group(3), Integer.parseInt(datagrams.group(4))));
            } catch (IllegalArgumentException e) {
                // The line below says it.
            }
        }
        throw new SettingsException("uplink=%s expected=none, tap:INTERFACE or udp:ADDRESS:PORT-ADDRESS:PORT".formatted(text));
    }

    /// Connects it to a switch.
    ///
    /// @throws SettingsException when it cannot be had
    default Uplink open(Switch wire) {
        try {
            return switch (this) {
                case None() -> Uplink.NONE;
                case TapInterface(String name) -> TapUplink.open(wire, name);
                case Datagrams(InetSocketAddress local, InetSocketAddress peer) -> DatagramUplink.open(wire, local, peer);
            };
        } catch (VfioException | IOException e) {
            throw new SettingsException("uplink=%s: %s".formatted(this, e.getMessage()));
        }
    }
}
