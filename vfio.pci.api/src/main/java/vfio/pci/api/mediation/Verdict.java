// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.mediation;

/// Who answers an access.
public enum Verdict {
    /// The device, as if there were no mediation.
    PASS_THROUGH,
    /// The mediation has done all there is to do.
    HANDLED
}
