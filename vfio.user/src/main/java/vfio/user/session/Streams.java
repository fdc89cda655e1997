// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Who has a connection's streams: the turn, or [Meanwhile] when the turn is inside a device for long. Settled by one compare-and-set.
final class Streams {
    private static final VarHandle STATE;
    /// No request is inside a device: the turn has the streams.
    private static final int BETWEEN = 0;
    /// One is: so has it, unless somebody takes them.
    private static final int INSIDE = 1;
    /// One is for long, and they were taken: the turn ends when it comes out, and leaves what it would send.
    private static final int TAKEN = 2;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Streams.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int state;

    /// The turn goes into a device. What it did with the streams before is seen by who takes them.
    void goIn() {
        STATE.setRelease(this, INSIDE);
    }

    /// The turn has come out, if it was in.
    ///
    /// @return whether the streams are still its own
    boolean comeOut() {
        return STATE.compareAndSet(this, INSIDE, BETWEEN) || state == BETWEEN;
    }

    /// Takes them, if the turn is inside a device. By the loop.
    boolean take() {
        return STATE.compareAndSet(this, INSIDE, TAKEN);
    }

    boolean areTaken() {
        return state == TAKEN;
    }

    /// The turn that was inside has ended: the next one has them. By the loop.
    void giveBack() {
        state = BETWEEN;
    }
}
