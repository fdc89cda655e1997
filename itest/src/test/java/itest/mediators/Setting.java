// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What a bundle's manifest says its mediator is.
 *
 * @param name its own
 * @param answer what it answers where it answers
 * @param board shared with the test
 */
public record Setting(String name, int answer, Board board) {
    /** Bumped when the bundle's stop began, before the service is unregistered. */
    public static final String STOPPING = "stopping";
    /** Bumped when the service was unregistered. */
    public static final String GONE = "gone";
    /** Threads inside the mediator's mediations. */
    public static final String INSIDE = "inside";
    /** Calls of the mediator's mediations. */
    public static final String ENTERED = "entered";
    /** Mediations that were closed. */
    public static final String CLOSED = "closed";
    /** Calls that came, or were inside still, after the mediation was closed or its mediator had gone. */
    public static final String LATE = "late";

    /** One of the numbers above, of this mediator. */
    AtomicLong number(String what) {
        return board.number(what, name);
    }
}
