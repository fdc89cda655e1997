// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import vfio.pci.api.VfioException;

/// Who drives the physical function of an open virtual one: that changes when it is given away and had again.
@FunctionalInterface
interface PfOwner {
    /// As it is now.
    ///
    /// @throws VfioException ENODEV when nobody here does
    PfBinding now() throws VfioException;
}
