// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.NetworkSide;
import device.sim.settings.HardwareAddress;
import device.sim.wire.Port;
import device.sim.xl710.queue.QueueFaults;
import java.util.LinkedHashMap;
import java.util.Map;

/// What the host of a virtual function decides, and sees.
final class VfHost implements NetworkSide {
    /// Names of the counters of GET_STATS, in its order.
    private static final String[] COUNTERS = {"rx_bytes", "rx_unicast", "rx_multicast", "rx_broadcast", "rx_discards",
        "rx_unknown_protocol", "tx_bytes", "tx_unicast", "tx_multicast", "tx_broadcast", "tx_discards", "tx_errors"};

    private final VfModel function;
    private final Port port;
    private volatile long address;
    private volatile boolean fixed;

    VfHost(VfModel function) {
        this.function = function;
        this.port = function.port();
        this.address = port.defaultAddress();
    }

    @Override
    public void link(boolean up) {
        port.link(up);
        function.session().linkChanged();
        function.wake();
    }

    @Override
    public void address(long given) {
        address = given;
        fixed = true;
        restoreAddress();
        function.resetByHost();
    }

    @Override
    public void vlan(int vlan) {
        port.portVlan(vlan);
        function.resetByHost();
    }

    /// Gives the function its address back, after a state that came from elsewhere had brought another.
    void restoreAddress() {
        port.defaultAddress(address);
        function.session().fixAddress(fixed);
    }

    @Override
    public Map<String, Long> statistics() {
        Map<String, Long> all = new LinkedHashMap<>();
        long[] counters = function.session().counters();
        for (int i = 0; i < COUNTERS.length; i++) {
            all.put(COUNTERS[i], counters[i]);
        }
        all.put("switch_delivered", port.counters().delivered());
        all.put("switch_full", port.counters().full());
        all.put("switch_link_down", port.counters().linkDown());
        all.put("switch_wrong_vlan", port.counters().wrongVlan());
        QueueFaults faults = function.queues().faults();
        all.put("malicious_driver_events", faults.malicious());
        all.put("dma_faults", function.dmaFaults());
        return all;
    }

    @Override
    public Map<String, String> state() {
        Map<String, String> all = new LinkedHashMap<>();
        QueueFaults faults = function.queues().faults();
        all.put("link", port.link() ? "up" : "down");
        all.put("mac", HardwareAddress.format(port.defaultAddress()));
        all.put("vlan", Integer.toString(port.portVlan()));
        all.put("stopped_rx", "0x%x".formatted(faults.stoppedRx()));
        all.put("stopped_tx", "0x%x".formatted(faults.stoppedTx()));
        all.put("last_stop", faults.last().toString());
        return all;
    }
}
