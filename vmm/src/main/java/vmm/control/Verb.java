// SPDX-License-Identifier: Apache-2.0
package vmm.control;

/// What a message is about; who sends which is in the package's description.
public enum Verb {
    /// A VMM says who it is.
    REGISTER,
    /// It takes part now.
    REGISTERED,
    /// It does not.
    REFUSED,
    /// It is to move its machine.
    MIGRATE,
    /// It is to end that.
    CANCEL,
    /// How far it is.
    PROGRESS,
    /// How it ended.
    RESULT
}
