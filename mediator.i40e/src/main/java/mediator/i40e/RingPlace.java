// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

/// Where a ring of descriptors is.
///
/// @param base guest address
/// @param length descriptors
/// @param bufferBytes what the device writes at most to the buffer of a descriptor that does not say so itself; else 0
record RingPlace(long base, int length, int bufferBytes) {
    /// More than the device takes.
    static final int MOST = 8192;

    /// Whether the device may use it: one that is empty or too long it refuses.
    boolean usable() {
        return length > 0 && length <= MOST;
    }

    /// The descriptors from one up to another, around the end.
    static int distance(int from, int to, int length) {
        return to >= from ? to - from : to - from + length;
    }
}
