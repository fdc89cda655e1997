// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.nio.file.Path;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// Serves devices to clients in other processes. An OSGi service of a transport; may be called by any thread.
@ProviderType
public interface ServeAdmin {
    /// Serves a device on a UNIX socket with mode 0600, one client at a time. When this returns a client may connect. A stale socket of a
    /// dead process is taken over.
    ///
    /// @throws VfioException ENODEV when there is no such function; EBUSY when the device is served already; EADDRINUSE when somebody
    ///     listens there or the path is something else; else what the system says
    void serve(PciAddress address, Path socket) throws VfioException;

    /// Serves a device on a UNIX socket that listens already and that this process inherited, as from systemd; otherwise as
    /// [#serve(PciAddress, Path)]. Mode, owner and removal of the socket's file are the business of whoever made it.
    ///
    /// @param descriptor its number, above 2; taken when this returns, left alone when it throws
    /// @throws VfioException EBADF when that is no socket that listens; EOPNOTSUPP for a transport that cannot; else as
    ///     [#serve(PciAddress, Path)]
    default void serve(PciAddress address, int descriptor) throws VfioException {
        throw new VfioException(Errno.EOPNOTSUPP, "fd=%d expected=a transport that takes sockets".formatted(descriptor));
    }

    /// Ends serving a device: requests in flight are answered, the client is disconnected, the socket removed.
    ///
    /// @throws VfioException ENOENT when it is not served
    void unserve(PciAddress address) throws VfioException;

    /// What is served now, by address.
    List<ServedStatus> served();
}
