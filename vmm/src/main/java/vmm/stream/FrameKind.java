// SPDX-License-Identifier: Apache-2.0
package vmm.stream;

import java.util.Optional;

/// What a frame is.
public enum FrameKind {
    /// The machine and its devices; from the source, first.
    HELLO,
    /// The destination takes it.
    ACCEPT,
    /// The destination does not, or has failed: its reason. It has put its devices back.
    REFUSE,
    /// Pages of memory: block, count, their indices, their bytes.
    PAGES,
    /// Pages of zeros: block, count, their indices.
    ZEROS,
    /// A copy of memory is complete.
    ROUND,
    /// The destination has it.
    ROUND_TAKEN,
    /// The next part of a device's state: its index, bytes.
    DEVICE,
    /// A device's configuration space: its index, bytes.
    CONFIG,
    /// What the machine's processors are, as the VMM writes it.
    PROCESSORS,
    /// All is sent: how many pages and how many bytes of device state.
    SEAL,
    /// The destination has all of it and its devices have taken their state over: it could run.
    READY,
    /// The source gives the machine away.
    COMMIT,
    /// The machine runs on the destination.
    DONE,
    /// Bytes of no meaning, to see how fast the connection is.
    PROBE;

    private static final FrameKind[] ALL = values();

    /// The number on the wire.
    int number() {
        return ordinal() + 1;
    }

    /// The kind of that number, if there is one.
    static Optional<FrameKind> of(int number) {
        return number > 0 && number <= ALL.length ? Optional.of(ALL[number - 1]) : Optional.empty();
    }
}
