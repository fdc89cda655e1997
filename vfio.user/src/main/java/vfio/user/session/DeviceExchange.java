// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.user.command.ClientLimits;
import vfio.user.command.Exchange;

/// A request to an open device and its answer, which is written where it is sent from. Who extends it says where the request is.
abstract class DeviceExchange extends Exchange {
    /// Where the answer goes.
    final Outbound out;
    private final ClientLimits limits;
    private VfioDevice device;
    private DevicePort port;
    private boolean disablable;
    private int answerSize;

    DeviceExchange(Outbound out, ClientLimits limits) {
        this.out = out;
        this.limits = limits;
    }

    /// Says which device it is, before the first request.
    final void open(VfioDevice itsDevice, boolean tellsDisablableAreas) {
        device = itsDevice;
        disablable = tellsDisablableAreas;
    }

    /// Says where it is accessed, before the first request.
    final void accessBy(DevicePort itsPort) {
        port = itsPort;
    }

    /// Another request: it has no answer yet.
    final void beginAnswer() {
        answerSize = 0;
    }

    /// Bytes of the answer's payload.
    final int answerSize() {
        return answerSize;
    }

    @Override
    public final MemorySegment reply() {
        return out.buffer();
    }

    @Override
    public final long replyPayload() {
        return Outbound.PAYLOAD;
    }

    @Override
    public final void answer(int payloadSize) {
        answerSize = payloadSize;
    }

    @Override
    public final void attach(OwnedFd fd) {
        out.attach(fd);
    }

    @Override
    public final VfioDevice device() {
        return device;
    }

    @Override
    public final DevicePort port() {
        return port;
    }

    @Override
    public final boolean tellsDisablableAreas() {
        return disablable;
    }

    @Override
    public final ClientLimits limits() {
        return limits;
    }
}
