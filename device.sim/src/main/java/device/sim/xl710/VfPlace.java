// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.FrameRecording;
import device.sim.wire.Port;
import device.sim.xl710.engine.DoorbellWatch;
import device.sim.xl710.virtchnl.Identity;

/// What a virtual function is given by its card.
///
/// @param name for its thread
/// @param device its device id
/// @param identity what it tells its driver
/// @param mappedDoorbells whether its tails are in pages that a client may map
/// @param port its place at the switch
/// @param watch looks at tails in memory while the function's own thread sleeps
/// @param recording writes down what passes its port
record VfPlace(String name, int device, Identity identity, boolean mappedDoorbells, Port port, DoorbellWatch watch,
    FrameRecording recording) {
}
