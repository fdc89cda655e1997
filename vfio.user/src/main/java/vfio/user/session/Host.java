// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.concurrent.Executor;
import vfio.pci.api.PciAddress;
import vfio.pci.api.device.VfioPci;
import vfio.user.command.ClientLimits;
import vfio.user.loop.PollLoop;
import vfio.user.traffic.Traffic;

/// What a connection lives in.
///
/// @param address the device it is about
/// @param pci opens devices
/// @param loop the connection is in it
/// @param workers opens and closes devices, which may wait
/// @param buffers nobody else uses meanwhile
/// @param limits of a client
/// @param traffic where it is counted
/// @param left run on the loop, or on its last thread, when the connection has gone and its device is closed
public record Host(PciAddress address, VfioPci pci, PollLoop loop, Executor workers, Buffers buffers, ClientLimits limits,
        Traffic traffic, Runnable left) {
}
