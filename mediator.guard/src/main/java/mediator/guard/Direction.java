// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

/// Which accesses a rule is about.
enum Direction {
    /// Reads alone.
    READ,
    /// Writes alone.
    WRITE,
    /// Both.
    ACCESS;

    boolean includes(Direction one) {
        return this == ACCESS || this == one;
    }
}
