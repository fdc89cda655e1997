// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

/// The registers of one of the mailbox's rings at one moment.
///
/// @param base guest address
/// @param length descriptors of 32 bytes; 0 while it is not enabled
/// @param head what the device works on next
/// @param tail where the driver puts its next
record MailboxRing(long base, int length, int head, int tail) {
    RingPlace place() {
        return new RingPlace(base, length, 0);
    }

    /// Whether there is something for the device to work on. A driver enables a ring before it says where that is.
    boolean works() {
        return length > 0 && head != tail;
    }
}
