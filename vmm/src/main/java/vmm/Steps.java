// SPDX-License-Identifier: Apache-2.0
package vmm;

import vfio.pci.api.VfioException;

/// Told of each step before it is made, by the thread that makes it.
@FunctionalInterface
public interface Steps {
    /// Nobody is.
    Steps UNSEEN = _ -> { };

    /// The next step is this.
    ///
    /// @throws VfioException to fail there
    void before(Step step) throws VfioException;
}
