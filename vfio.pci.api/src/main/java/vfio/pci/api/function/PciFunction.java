// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.function;

import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;

/// One PCI function, described. Touching it needs a driver's binding, of which there is at most one at a time.
///
/// Published as an OSGi service by whoever has the hardware, with the service properties [#ADDRESS_PROPERTY],
/// [#ID_PROPERTY] and [#DRIVER_PROPERTY]. Unregistering the service is the function going away: whoever drives it lets go before the
/// unregistering returns. A physical function goes after its virtual ones.
///
/// All descriptions are constant for the life of the service. May be called by any thread.
@ConsumerType
public interface PciFunction {
    /// Service property, String: the address as [PciAddress#toString()] writes it.
    String ADDRESS_PROPERTY = "vfio.pci.address";

    /// Service property, String: vendor and device as [PciId#vendorAndDevice()] writes them.
    String ID_PROPERTY = "vfio.pci.id";

    /// Service property, String: name of the driver bound, absent when there is none. A change is a service-modified event, sent
    /// after the fact, so that a driver that was refused can try again.
    String DRIVER_PROPERTY = "vfio.pci.driver";

    /// Where it sits.
    PciAddress address();

    /// What it says it is.
    PciId id();

    /// Its base address registers, by ascending index; the upper half of a 64-bit BAR is not listed.
    List<Bar> bars();

    /// Registers whose write a client may tell by an event instead of a message; a client decides whether it does. None unless overridden.
    default List<Doorbell> doorbells() {
        return List.of();
    }

    /// Vectors it can raise by interrupt kind.
    InterruptVectors interruptVectors();

    /// Its physical function's address if it is a virtual function.
    Optional<PciAddress> physicalFunction();

    /// The name of the driver bound to it now.
    Optional<String> driver();

    /// Binds a driver exclusively. The function comes as its last reset left it.
    ///
    /// @param driver name of the driver, as `vfio-pci` or `i40e`; shown to people
    /// @param lent what the function may use until the binding is closed
    /// @throws VfioException EBUSY when another driver is bound (the message names it); ENODEV when the function has gone
    BoundFunction bind(String driver, LentResources lent) throws VfioException;
}
