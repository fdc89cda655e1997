// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.DirtyLog;

/// One way to find out which pages of its guest's memory a virtual function writes. What it marks is a superset: a page too many costs
/// time, a page too few is a guest's memory corrupted. Each strategy says what it assumes of the guest.
///
/// Begin, collect and end are serialised; a write may come in at the same time, on any thread.
abstract sealed class DirtyTracking permits DoorbellTrap, InterruptRelay, DeviceLog, All {
    /// Finds out from now on.
    ///
    /// @param log good until [#end()]
    /// @throws VfioException to refuse, with nothing left behind
    abstract void begin(DirtyLog log) throws VfioException;

    /// Marks what is known now, and again what the device may still write.
    ///
    /// @throws VfioException to fail the question; nothing is lost
    void collect(DirtyLog log) throws VfioException {
    }

    /// Finds out no more. Has no effect when it does not.
    void end() {
    }

    /// A client writes registers that are claimed, before the device knows.
    void wrote(long offset, MemorySegment buffer, long bufferOffset, int count) {
    }

    /// Whether it is to be told of interrupts.
    boolean relaysInterrupts() {
        return false;
    }

    /// The device raises an interrupt, before the guest has it. On a thread of the function, which may hold locks that an access needs.
    void interrupted() {
    }
}
