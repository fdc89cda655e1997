// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// The throttling intervals where a virtual function keeps them.
final class VfIntervals implements VfThrottling {
    private static final int VECTORS = VfRegister.VFINT_DYN_CTLN1.count();
    private static final int OTHERS_SHIFT = 2;

    private final VfModel function;

    VfIntervals(VfModel function) {
        this.function = function;
    }

    @Override
    public int interval(int vector, int index) {
        int offset = vector == 0 ? VfRegister.VFINT_ITR01.base() + Integer.BYTES * index : offset(vector, index);
        return function.peekLocked(offset) & DynCtl.INTERVAL_MASK;
    }

    @Override
    public void interval(int vector, int index, int interval) {
        function.memoryLocked(offset(vector, index), interval);
    }

    @Override
    public int indexOfOthers() {
        return function.peekLocked(VfRegister.VFINT_STAT_CTL01.base()) >>> OTHERS_SHIFT & DynCtl.ITR_INDX_MASK;
    }

    private static int offset(int vector, int index) {
        return VfRegister.VFINT_ITRN1.base() + Integer.BYTES * (index * VECTORS + vector - 1);
    }
}
