// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Switch;

/// What tests of frames on their way have in common: two virtual functions on a switch.
abstract class TwoVfs {
    final TestVf sender;
    final TestVf receiver;

    TwoVfs() {
        Switch wire = new Switch(2);
        sender = new TestVf(wire, 0).up();
        receiver = new TestVf(wire, 1).up();
    }

    /// What arrived since, a frame's bytes.
    final byte[] received() {
        receiver.run();
        return receiver.receive();
    }
}
