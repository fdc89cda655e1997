// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;

/// Brings mediators that are not installed yet. An OSGi service, of which the core uses at most one; may be called by any thread.
@ConsumerType
public interface MediatorSource {
    /// Has a mediator for a function installed and started, if there is one. The core asks in the thread that opens the device, when
    /// no registered mediator took it, while no client has it yet; it holds nothing of the device but the right to open it. Blocks for a
    /// bounded time, after which what was begun may go on. What it throws counts as nothing found, and never fails the open.
    ///
    /// @return whether something was started, so that mediators that have registered since are to be asked
    boolean provide(PciAddress address, PciId id);

    /// Somebody is about to choose among the mediators that are there: until as many calls of [#endBinding()] have followed, none that was
    /// brought is to be taken away for want of use. Whoever takes one away just now is waited for, bounded. What it throws counts as
    /// nothing.
    default void beginBinding() {
    }

    /// Who began has chosen, and the mediator's devices say so.
    default void endBinding() {
    }

    /// The last client of a device closed it; whoever mediated it no longer does. Returns at once.
    default void closed(PciAddress address) {
    }
}
