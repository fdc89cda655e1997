// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import vfio.pci.core.binding.Mediator;

/// Where mediators may come from that had not been there when an open began.
public interface Newcomers {
    /// None come.
    Newcomers NONE = List::of;

    /// Mediators that have come since, in the order they are to be asked. May take its time, and does not throw.
    List<Mediator> find();

    /// The device was closed by its last client.
    default void closed() {
    }
}
