// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.concurrent.atomic.AtomicLong;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.core.binding.Faults;

/// Where a device ends and its function begins: what the function fails with is told, counted, and goes no further.
final class FunctionBorder {
    private static final System.Logger LOG = System.getLogger(FunctionBorder.class.getName());

    private final PciAddress address;
    private final Usability usability;
    private final AtomicLong faults = new AtomicLong();

    FunctionBorder(PciAddress address, Usability usability) {
        this.address = address;
        this.usability = usability;
    }

    /// A bug of the function's: told, counted, and answered EIO.
    VfioException fault(Throwable bug) {
        if (usability.isGone()) {
            // memory was taken from under an access that was already on its way
            return new VfioException(Errno.ENODEV, "device=%s has gone".formatted(address));
        }
        long count = faults.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(System.Logger.Level.ERROR, "{0}: fault {1} of the function: {2}", address, count, Faults.describe(bug));
        }
        return new VfioException(Errno.EIO, "device=%s failed with %s".formatted(address, bug.getClass().getSimpleName()));
    }

    /// Tells the function which vectors somebody takes, unless it has gone.
    void vectorEnabled(BoundFunction function, InterruptKind kind, int vector, boolean enabled) {
        if (!usability.isGone()) {
            try {
                function.vectorEnabled(kind, vector, enabled);
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                fault(e);
            }
        }
    }

    /// Lets the function go.
    ///
    /// @param bound null when it could not be had
    void close(BoundFunction bound) {
        try {
            if (bound != null) {
                bound.close();
            }
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            LOG.log(System.Logger.Level.ERROR, "{0}: the function failed in close: {1}", address, Faults.describe(e));
        }
    }
}
