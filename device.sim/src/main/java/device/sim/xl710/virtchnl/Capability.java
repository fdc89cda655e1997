// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

/// What a driver may ask for and be granted. Names: `VIRTCHNL_VF_OFFLOAD_*`, `VIRTCHNL_VF_CAP_*`.
final class Capability {
    /// Ethernet.
    static final int L2 = 1;
    /// Write-back on expiry of an interval: it happens at once here, and so always.
    static final int WB_ON_ITR = 1 << 5;
    /// REQUEST_QUEUES.
    static final int REQ_QUEUES = 1 << 6;
    /// Link speed in Mbit/s.
    static final int ADV_LINK_SPEED = 1 << 7;
    /// VLAN filters and stripping by messages.
    static final int VLAN = 1 << 16;
    /// Hash key and table by messages.
    static final int RSS_PF = 1 << 19;

    /// All that can be granted.
    static final int OFFERED = L2 | WB_ON_ITR | REQ_QUEUES | ADV_LINK_SPEED | VLAN | RSS_PF;
    /// What a driver of version 1.0 gets, which does not ask.
    static final int WITHOUT_ASKING = L2 | VLAN;

    private Capability() {
    }
}
