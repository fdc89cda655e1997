// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

/** A fault of a class that only the mediator's bundle has: who keeps one keeps the bundle. */
final class Bug extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Bug(String where) {
        super("bug in " + where);
    }
}
