// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.engine.Task;

/// Sends the interrupts whose intervals have ended, by the engine's thread: it comes back for the earliest, and costs a look at one word
/// while none waits.
final class VfModeration implements Task {
    private final VfModel function;

    VfModeration(VfModel function) {
        this.function = function;
    }

    @Override
    public boolean run() {
        if (!function.interrupts().due()) {
            return false;
        }
        synchronized (function.guard()) {
            // What stands still sends when it goes on.
            if (function.gate().frozenLocked()) {
                return false;
            }
            function.interrupts().evaluateAll();
        }
        return true;
    }

    @Override
    public long sleepNanos() {
        return function.gate().frozen() ? FOREVER : function.interrupts().waitNanos();
    }
}
