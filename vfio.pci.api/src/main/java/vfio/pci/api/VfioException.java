// SPDX-License-Identifier: Apache-2.0
package vfio.pci.api;

/// The fault of a client, a guest or a system call, told by number and in words. It carries no stack trace, because it is
/// an answer and not a bug: it may be thrown on the access path by a hostile guest as often as that likes.
///
/// The message names what was wrong, the value, and what was expected, as `key=value` with numbers in hex.
public final class VfioException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    /// An answer of this errno with this explanation.
    public VfioException(Errno errno, String message) {
        super(message, null, false, false);
        this.errno = errno;
    }

    /// The number a client sees.
    public Errno errno() {
        return errno;
    }

    @Override
    public String toString() {
        return errno + ": " + getMessage();
    }
}
