// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.mailbox.Ring;
import device.sim.xl710.mailbox.RingRegister;

/// What a driver does by registers. Called with the function's lock held.
final class VfRegisterEffects implements VfDoorbells {
    private final VfModel function;

    VfRegisterEffects(VfModel function) {
        this.function = function;
    }

    @Override
    public int tail(boolean receive, int queue) {
        return function.queues().tail(receive, queue);
    }

    @Override
    public void ring(boolean receive, int queue, int value) {
        function.queues().tail(receive, queue, value);
    }

    @Override
    public void mailbox(VfRegister register, int value) {
        if (register.ringRegister() == RingRegister.LEN && (value & Ring.ENABLE) == 0) {
            function.mailbox().leaveLocked();
        }
        function.wake();
    }

    @Override
    public void hashChanged() {
        function.hash().changedLocked();
        function.wake();
    }

    @Override
    public void statusSet(int status) {
        function.resetState().statusSetLocked(status);
        function.gate().updateLocked();
    }
}
