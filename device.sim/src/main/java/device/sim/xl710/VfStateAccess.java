// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.mailbox.AdminQueues;
import vfio.pci.api.VfioException;

/// Takes the state of a virtual function that stands still, and puts one into such a function.
final class VfStateAccess {
    private VfStateAccess() {
    }

    /// The state.
    static VfState save(VfModel function) {
        synchronized (function.guard()) {
            VfInterrupts interrupts = function.interrupts();
            VfRegisters registers = function.registers();
            AdminQueues mailbox = function.mailbox();
            int[] controls = new int[interrupts.controls()];
            int owed = 0;
            for (int i = 0; i < controls.length; i++) {
                controls[i] = interrupts.control(i);
                owed |= interrupts.pending(i) ? 1 << i : 0;
            }
            return new VfState(function.config().bytes(), function.msix().table(), function.messages().pendingBits(0), registers.values(),
                intervals(function), registers.resetStatus(), controls, owed, interrupts.causes(), interrupts.enabledCauses(),
                VfState.registers(mailbox.transmit()), VfState.registers(mailbox.receive()), mailbox.backlogLocked(),
                function.session().state(), function.session().fixedAddress(), function.session().linkOwed(), function.queues().save(),
                VfState.PortState.of(function.port()), function.session().counters(), function.resetState().impendingLocked(),
                function.resetState().remainingLocked());
        }
    }

    /// Puts a state into a function: nothing is rung, sent or fetched by it.
    ///
    /// @throws VfioException EINVAL, with nothing changed, for queues that hardware would not take
    static void load(VfModel function, VfState state) throws VfioException {
        synchronized (function.guard()) {
            function.queues().load(state.queues());
            function.config().restore(state.config());
            function.msix().table(state.table());
            function.messages().restore(state.pending());
            function.registers().values(state.values());
            loadIntervals(function, state.intervals());
            loadInterrupts(function.interrupts(), state);
            VfState.registers(function.mailbox().transmit(), state.transmit());
            VfState.registers(function.mailbox().receive(), state.receive());
            function.mailbox().backlogLocked(state.backlog());
            boolean linkDiffers = !state.port().linkIs(function.port().link());
            state.port().apply(function.port());
            function.session().state(state.session().checked(function.place().identity().queuePairs()), state.linkOwed() || linkDiffers);
            function.session().fixAddress(state.fixedAddress());
            function.session().counters(state.counters());
            loadReset(function, state);
        }
    }

    private static void loadInterrupts(VfInterrupts interrupts, VfState state) {
        for (int i = 0; i < state.controls().length; i++) {
            interrupts.restore(i, state.controls()[i], (state.owed() & 1 << i) != 0);
        }
        interrupts.restoreCauses(state.causes(), state.enabledCauses());
    }

    /// A reset that waited for a time goes on waiting; one that waited for the other card's physical function ends.
    private static void loadReset(VfModel function, VfState state) {
        boolean waiting = state.remaining() > 0;
        int status = state.status() == VfRegisters.RESET_IN_PROGRESS ? VfRegisters.VFACTIVE : state.status();
        function.registers().resetStatus(waiting ? VfRegisters.RESET_IN_PROGRESS : status);
        function.resetState().restoreLocked(state.impending(), state.remaining());
    }

    private static int[] intervals(VfModel function) {
        int[] intervals = new int[VfRegister.VFINT_ITRN1.count()];
        for (int i = 0; i < intervals.length; i++) {
            intervals[i] = function.peek(interval(i)) & DynCtl.INTERVAL_MASK;
        }
        return intervals;
    }

    private static void loadIntervals(VfModel function, int[] intervals) {
        for (int i = 0; i < intervals.length; i++) {
            function.pokeLocked(interval(i), intervals[i] & DynCtl.INTERVAL_MASK);
        }
    }

    private static int interval(int index) {
        return VfRegister.VFINT_ITRN1.base() + index * VfRegister.VFINT_ITRN1.stride();
    }
}
