// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.mailbox;

/// What the device answers to a command, in `retval`. Names and numbers: `enum i40e_admin_queue_err` without the prefix.
public enum ReturnCode {
    /// Done.
    OK(0),
    /// There is no such thing.
    ENOENT(2),
    /// The argument list is too long.
    E2BIG(7),
    /// Memory could not be reached.
    EFAULT(11),
    /// The thing is in use, or not stopped.
    EBUSY(12),
    /// Wrong argument.
    EINVAL(14),
    /// Unknown command.
    ENOSYS(17),
    /// Outside what exists.
    ERANGE(18);

    private final int code;

    ReturnCode(int code) {
        this.code = code;
    }

    /// The number in the descriptor.
    public int code() {
        return code;
    }
}
