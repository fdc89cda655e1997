// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;

/// What an event of a client may do to a vector.
public enum MaskAction {
    /// [VfioDevice#maskIrq].
    MASK {
        @Override
        public void apply(VfioDevice device, int index, int start, int count) throws VfioException {
            device.maskIrq(index, start, count);
        }
    },
    /// [VfioDevice#unmaskIrq].
    UNMASK {
        @Override
        public void apply(VfioDevice device, int index, int start, int count) throws VfioException {
            device.unmaskIrq(index, start, count);
        }
    };

    /// Does it to a run of vectors.
    ///
    /// @throws VfioException as [VfioDevice#maskIrq]
    public abstract void apply(VfioDevice device, int index, int start, int count) throws VfioException;
}
