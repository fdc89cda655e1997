// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.queue.QueueInterrupts;

/// What queues report. Called by the engine; what comes while a reset is in progress is of before.
final class VfQueueInterrupts implements QueueInterrupts {
    private final VfModel function;

    VfQueueInterrupts(VfModel function) {
        this.function = function;
    }

    @Override
    public void event(int vector, int indices) {
        synchronized (function.guard()) {
            if (usedLocked()) {
                function.interrupts().event(vector, indices);
            }
        }
    }

    @Override
    public void causes(int bits, int indices) {
        synchronized (function.guard()) {
            if (usedLocked()) {
                function.interrupts().queueCauses(bits, indices);
            }
        }
    }

    private boolean usedLocked() {
        return function.registers().resetStatus() != VfRegisters.RESET_IN_PROGRESS;
    }
}
