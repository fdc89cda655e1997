// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api.admin;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.PciAddress;

/// What came of exchanging what mediates an open device, or its function.
///
/// @param address of the device
/// @param mediator who mediates it now
/// @param failure why all is as it was, if it is
/// @param pause how long accesses waited
/// @param withheld what a client that has the device open does not get to know of, and what of it passes the mediator by
public record Exchange(PciAddress address, Optional<String> mediator, Optional<String> failure, Duration pause, List<String> withheld) {
    /// Copies the list.
    public Exchange {
        withheld = List.copyOf(withheld);
    }
}
