// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;

/// What a command does. Has no state: it is shared by all connections.
public interface Handler {
    /// Carries the request out and says what to answer by [Exchange#answer]; without that the answer is the header alone.
    ///
    /// @throws VfioException the answer is this errno and nothing else
    void handle(Exchange exchange) throws VfioException;
}
