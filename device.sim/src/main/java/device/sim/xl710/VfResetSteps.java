// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// What a reset of a virtual function consists of; when each step comes is [VfReset]'s.
final class VfResetSteps {
    private final VfModel function;

    VfResetSteps(VfModel function) {
        this.function = function;
    }

    /// The first step: registers read their first values, no message is sent, and nothing new is begun.
    void clearLocked() {
        function.messages().reset();
        function.queues().halt();
        function.clearMemoryLocked();
        function.registers().reset(VfRegisters.RESET_IN_PROGRESS);
        function.mailbox().resetLocked();
        function.hash().forgetLocked();
        function.gate().updateLocked();
    }

    /// The second step, by a thread that may wait.
    void awaitAndClear() {
        function.mailbox().awaitIdle();
        function.queues().reset();
        function.port().reset();
        function.session().reset();
        if (function.gate().frozen()) {
            function.queues().quiesce();
        }
    }

    /// The last step.
    void activateLocked() {
        function.registers().resetStatus(VfRegisters.VFACTIVE);
    }

    /// The last step where the physical function says when the function is to be used. It may have said so already.
    void endedLocked() {
        function.resetState().statusSetLocked(function.registers().resetStatus());
        function.gate().updateLocked();
    }
}
