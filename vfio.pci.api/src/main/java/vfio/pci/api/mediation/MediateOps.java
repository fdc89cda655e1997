// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;

/// A mediator, published as an OSGi service. When a device is first opened the core asks the services in registration order (higher
/// `service.ranking` first where someone set it, then older first); the first that accepts mediates that device until it is closed, or
/// until the service goes. A service may be registered before any device exists and may mediate many.
///
/// When the service is unregistered, the unregistering thread takes its mediations out of all devices, waits for the threads inside, and
/// closes them, before the unregistering returns. Nothing is called after that.
@ConsumerType
public interface MediateOps {
    /// A name shown to people. Names need not be unique; a second service of the same name is logged.
    String name();

    /// Asks whether this mediator takes a device that is being opened. The function is for looking at only; everything else goes through
    /// the context, which is good from this call on.
    ///
    /// Calls for different devices may come at the same time; those for one device do not. One that throws a RuntimeException or Error is
    /// skipped, logged and counted, and the next mediator is asked.
    ///
    /// @return the mediation of this device, or empty when it is not one of its own
    /// @throws VfioException when it would fit but cannot be taken; the reason is logged, and the next mediator is asked
    Optional<Mediation> open(PciFunction function, MediationContext context) throws VfioException;

    /// Another mediator is to take over all devices of this one, whose accesses wait and whose states are saved: lets go of what only one
    /// of the two can have, as a physical function. The service stays. Either [#standIn()] follows, or the mediations are closed.
    ///
    /// @throws VfioException to refuse: nothing is taken over
    default void standAside() throws VfioException {
    }

    /// The other one did not take over: has what it let go of again, on return.
    ///
    /// @throws VfioException when it cannot be had
    default void standIn() throws VfioException {
    }
}
