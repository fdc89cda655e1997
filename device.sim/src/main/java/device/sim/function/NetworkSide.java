// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.util.Map;

/// The network's side of a function that is a network device: what stands behind it, and what its host decides. Thread-safe.
public interface NetworkSide {
    /// Plugs the cable in or out; the driver is told.
    void link(boolean up);

    /// Gives the function a hardware address, and its driver no choice of another. The driver is told of a reset, and reset.
    ///
    /// @param address of a station, its first byte the highest of six
    void address(long address);

    /// Puts the function in a VLAN, of which its driver sees nothing. The driver is told of a reset, and reset.
    ///
    /// @param vlan 1 to 4094, or 0 for none
    void vlan(int vlan);

    /// What passed and what did not, by name, in order.
    Map<String, Long> statistics();

    /// How it is: link, address, VLAN, by name, in order.
    Map<String, String> state();
}
