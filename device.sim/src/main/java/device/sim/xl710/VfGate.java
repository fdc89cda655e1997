// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// Whether a virtual function may begin anything: not while it stands still, and nothing in memory while it is no bus master or is being
/// reset.
///
/// Guarded by the function's lock.
final class VfGate {
    private final VfModel function;
    private boolean frozen;
    private boolean busMaster;

    VfGate(VfModel function) {
        this.function = function;
    }

    /// The mailbox works while the function is in use, and neither it nor a queue begins anything in memory while the function is no bus
    /// master.
    void updateLocked() {
        busMaster = function.config().busMaster();
        boolean used = !frozen && function.resetState().endedLocked()
            && function.registers().resetStatus() != VfRegisters.RESET_IN_PROGRESS;
        function.mailbox().openLocked(busMaster && used);
        function.queues().busMaster(busMaster);
        function.wake();
    }

    /// Config space may have another bus master bit. When it went, what was begun has ended on return, or will soon: it may be the driver
    /// that is waited for.
    void configWrittenLocked() {
        boolean before = busMaster;
        updateLocked();
        if (before && !busMaster) {
            function.mailbox().leaveLocked();
            function.queues().leave();
        }
    }

    /// Has the function stand still from now on: on return nothing uses memory, and a command or packet that was begun is done. Registers
    /// go on.
    void freeze() {
        synchronized (function.guard()) {
            frozen = true;
            updateLocked();
        }
        function.resetState().complete();
        function.mailbox().awaitIdle();
        function.hash().run();
        function.queues().quiesce();
    }

    /// Has it go on: it works off what tails say now, and sends what is pending.
    void thaw() {
        synchronized (function.guard()) {
            // A state that was loaded meanwhile brought the bit with it.
            function.queues().busMaster(function.config().busMaster());
        }
        function.queues().resume();
        synchronized (function.guard()) {
            frozen = false;
            updateLocked();
            function.messages().retry();
            function.interrupts().evaluateAll();
        }
    }

    /// The driver gave the function back: it stands still no more.
    void detachedLocked() {
        frozen = false;
    }

    boolean frozen() {
        synchronized (function.guard()) {
            return frozen;
        }
    }

    boolean frozenLocked() {
        return frozen;
    }
}
