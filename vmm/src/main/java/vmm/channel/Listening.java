// SPDX-License-Identifier: Apache-2.0
package vmm.channel;

import vfio.pci.api.VfioException;

/// A place where the other side may connect.
public interface Listening extends AutoCloseable {
    /// Waits for one to connect; for one thread. A connection that comes to nothing, as for a wrong certificate, is passed over.
    ///
    /// @throws VfioException ECANCELED after [#close()]; else what the system says
    Link accept() throws VfioException;

    /// Where that is, with the port that was found for port 0.
    Endpoint endpoint();

    /// Ends it, by any thread. Links that were accepted stay.
    @Override
    void close();
}
