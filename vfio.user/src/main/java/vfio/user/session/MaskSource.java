// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.function.Consumer;
import linux.sys.Epoll;
import linux.sys.EventFd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.user.command.MaskAction;
import vfio.user.loop.Source;

/// An event that masks or unmasks a vector. However often it was signalled since the last look, that is done once.
final class MaskSource extends Source {
    private final VfioDevice device;
    private final MaskAction action;
    private final int index;
    private final int vector;
    private final EventFd event;
    private final Consumer<VfioException> faults;
    private final Runnable gone;
    private volatile boolean off;

    /// @param event taken
    /// @param faults told of what failed, by any thread
    /// @param gone run when this is closed
    MaskSource(VfioDevice device, MaskAction action, int index, int vector, EventFd event, Consumer<VfioException> faults, Runnable gone) {
        this.device = device;
        this.action = action;
        this.index = index;
        this.vector = vector;
        this.event = event;
        this.faults = faults;
        this.gone = gone;
    }

    /// Nothing is done for it any more, though the loop has yet to take it out. Any thread.
    void switchOff() {
        off = true;
    }

    @Override
    protected OwnedFd fd() {
        return event.fd();
    }

    @Override
    protected int turn(int events) {
        long count = event.read();
        if (count < 0 || off) {
            return PARKED;
        }
        if (count > 0) {
            try {
                action.apply(device, index, vector, 1);
            } catch (VfioException e) {
                faults.accept(e);
            }
        }
        return Epoll.IN;
    }

    @Override
    protected void closed() {
        event.close();
        gone.run();
    }
}
