// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

/// One rule.
///
/// @param name from its key
/// @param text as configured
/// @param target registers or DMA windows
/// @param rate of what it lets pass a second, for [Action#LIMIT]
/// @param burst of what it lets pass at once, for [Action#LIMIT]
record Rule(String name, String text, Action action, Direction direction, Target target, long rate, long burst) {
    /// What a rule is about.
    sealed interface Target permits Registers, Windows {
    }
}
