// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import linux.sys.EventFd;
import vfio.pci.api.device.IrqTrigger;

/// An interrupt that a client takes by eventfd.
final class EventFdTrigger implements IrqTrigger {
    private final EventFd eventFd;

    EventFdTrigger(EventFd eventFd) {
        this.eventFd = eventFd;
    }

    @Override
    public void signal() {
        eventFd.signal();
    }

    @Override
    public void close() {
        eventFd.close();
    }
}
