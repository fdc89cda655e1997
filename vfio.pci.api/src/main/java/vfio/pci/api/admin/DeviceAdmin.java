// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// Lists what the core knows, and changes who mediates an open device. An OSGi service of the core; may be called by any thread.
@ProviderType
public interface DeviceAdmin {
    /// All functions, by address, open or not.
    List<DeviceStatus> devices();

    /// The function at an address.
    ///
    /// @throws VfioException ENODEV when there is none; the message lists the known ones
    DeviceStatus device(PciAddress address) throws VfioException;

    /// All mediators, in the order they are asked.
    List<MediatorStatus> mediators();

    /// Counters of the device since it was opened; of the last time, for one that is not open, and zeroes if it never was.
    ///
    /// @throws VfioException ENODEV when there is no such function; the message lists the known ones
    AccessStats stats(PciAddress address) throws VfioException;

    /// What becomes of the device when its mediator goes.
    ///
    /// @throws VfioException ENODEV when there is no such function
    default MediatorPolicy policy(PciAddress address) throws VfioException {
        return MediatorPolicy.PASS_THROUGH;
    }

    /// Changes that at once, until the device's configuration changes.
    ///
    /// @throws VfioException ENODEV when there is no such function
    default void policy(PciAddress address, MediatorPolicy policy) throws VfioException {
        throw unsupported();
    }

    /// Who is to mediate the device, in layers, top first, as somebody declared it last: names of mediators or bundles, and `*` for whoever
    /// else accepts by order. That is at the end where it is not named, unless the list ends with `-`.
    ///
    /// @throws VfioException ENODEV when there is no such function
    default List<String> stack(PciAddress address) throws VfioException {
        return List.of("*");
    }

    /// Declares that, until the device's configuration changes: for the next open, and for an open device from its next [#rebind] on. An
    /// access goes to the topmost layer that claims it, from one that passes it through to the next one below that claims it, and then to
    /// the device. A layer whose mediator is not there is left out until it comes.
    ///
    /// @throws VfioException ENODEV when there is no such function; EINVAL for a list that is none, with what was expected
    default void stack(PciAddress address, List<String> mediators) throws VfioException {
        throw unsupported();
    }

    /// Binds an open device anew, while its accesses wait: to the mediator named, or to the first that accepts in the order they are
    /// asked. Where layers are declared this is done for each that a mediator may have, in the order they are declared now. A mediation
    /// that was there is closed when its successor has accepted; no state passes.
    ///
    /// @param mediator its name, name:version or bundle id
    /// @throws VfioException ENODEV when there is no such function or it is not open; ENOENT when there is no such mediator; EPERM when
    ///     nobody accepts, with the device as it was; EBUSY while it is held otherwise
    default Exchange rebind(PciAddress address, Optional<String> mediator) throws VfioException {
        throw unsupported();
    }

    /// Exchanges the mediator of open devices in its layer, while their accesses wait: state is saved, loaded by the new one, and checked.
    /// Where that fails the old one goes on as if nothing had been; the answer says why. The new one takes the old one's place in the
    /// order.
    ///
    /// @param address one device, or all of `from`
    /// @param from name, name:version or bundle id
    /// @param to the same; a mediator that cannot be there beside the old one must come when that stands aside, and takes all its devices
    /// @return for each device what came of it
    /// @throws VfioException ENOENT when there is no such mediator, or it has no such device; EINVAL when more than one is meant
    default List<Exchange> swap(Optional<PciAddress> address, String from, String to) throws VfioException {
        throw unsupported();
    }

    /// Has the function behind an open device bound afresh, while its accesses wait: the mediator saves the state, the function is let go,
    /// reset and bound again behind the same BAR memory, interrupts and DMA map, and the state is loaded.
    ///
    /// @throws VfioException ENODEV when it is not open; EOPNOTSUPP when its mediator cannot save it; EBUSY while it is held or moved; EIO
    ///     when the function cannot be had again, or not with that state: the device has been reset then
    default Exchange renew(PciAddress address) throws VfioException {
        throw unsupported();
    }

    /// Stops the bundle of a mediator, unless a device of it has the policy [MediatorPolicy#REFUSE].
    ///
    /// @return who it was, for people
    /// @throws VfioException EBUSY with devices and clients; ENOENT when there is no such mediator; EIO when the bundle does not stop
    default String unload(String mediator) throws VfioException {
        throw unsupported();
    }

    private static VfioException unsupported() {
        return new VfioException(Errno.EOPNOTSUPP, "expected=a core that can");
    }
}
