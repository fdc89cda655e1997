// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.Arrays;
import java.util.function.BooleanSupplier;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.MediatorStatus;

/// A thread that did not leave a mediation in time. Holds nothing of the mediation.
///
/// @param still whether it is inside still
public record Abandoned(PciAddress device, Thread thread, BooleanSupplier still) {
    MediatorStatus.StuckThread status() {
        return new MediatorStatus.StuckThread(device, thread.getName(),
            Arrays.stream(thread.getStackTrace()).map(StackTraceElement::toString).toList());
    }
}
