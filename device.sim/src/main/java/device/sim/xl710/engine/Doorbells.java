// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.engine;

/// Doorbells that a client may ring by writing to memory, so that no access tells of it. Asked by the card's watching thread while the
/// engine sleeps; must not block.
public interface Doorbells {
    /// Whether there are any that matter now.
    boolean watched();

    /// Whether one of them asks for something that was not done: the memory's value against the device's own position, never against
    /// the last value seen.
    boolean rung();
}
