// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import vfio.pci.api.admin.Whereabouts;
import vmm.Step;

/** What happens to a move. */
enum Fault {
    /** The runtime that has the machine's devices is no more. */
    KILL_SOURCE,
    /** The runtime that is to have them is no more. */
    KILL_DESTINATION,
    /** The connection between the two VMMs ends, at once and for both. */
    CUT,
    /** A byte is another than the one that was sent. */
    ALTER;

    /** From these on the source's devices are not needed any more. */
    private static final Set<Step> ALL_SENT = EnumSet.of(Step.SEAL, Step.COMMIT, Step.AWAIT_DONE, Step.LOAD, Step.READY, Step.RUN,
        Step.DONE);
    private static final Set<Step> GIVEN_AWAY = EnumSet.of(Step.COMMIT, Step.AWAIT_DONE, Step.RUN, Step.DONE);

    /** Which devices are to be used in the end, when both sides have been asked; nothing where that depends on who is faster. */
    Optional<Whereabouts> named(Step step) {
        if (this == KILL_SOURCE) {
            return Optional.of(ALL_SENT.contains(step) ? Whereabouts.DESTINATION : Whereabouts.NOWHERE);
        }
        if (step == Step.AWAIT_DONE) {
            return Optional.empty();
        }
        boolean there = step == Step.DONE || step == Step.RUN && this != KILL_DESTINATION;
        return Optional.of(there ? Whereabouts.DESTINATION : Whereabouts.SOURCE);
    }

    /** Whether the source may have to ask the destination's VMM. */
    boolean mayLeaveUnknown(Step step) {
        return (this == CUT || this == ALTER) && GIVEN_AWAY.contains(step);
    }
}
