// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

/// The parts of a virtual function's state, in their order. A part whose layout changes gets another version.
enum StateSection {
    /// Fields of config space that a driver can change.
    CONFIG(1, 1),
    /// Table and pending bits.
    MSIX(2, 1),
    /// Registers of BAR 0 that are not in another part.
    REGISTERS(3, 1),
    /// Controls, pending events and causes.
    INTERRUPTS(4, 1),
    /// Both rings, and messages that wait.
    MAILBOX(5, 1),
    /// What was agreed on.
    SESSION(6, 1),
    /// Queue contexts, interrupt map, hash and events owed.
    QUEUES(7, 1),
    /// What the port takes, and its link.
    PORT(8, 1),
    /// The twelve counters.
    COUNTERS(9, 1),
    /// A reset under way.
    RESET(10, 1);

    private final int number;
    private final int version;

    StateSection(int number, int version) {
        this.number = number;
        this.version = version;
    }

    int number() {
        return number;
    }

    int version() {
        return version;
    }
}
