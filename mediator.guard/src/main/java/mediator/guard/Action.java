// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

/// What a rule does with an access, or with a DMA window that is to be made.
enum Action {
    /// It fails with EACCES.
    DENY,
    /// It fails with EAGAIN when there were too many.
    LIMIT,
    /// It is told in the log, and the next rule is asked.
    LOG,
    /// It passes, whatever the rules after this one say.
    PASS
}
