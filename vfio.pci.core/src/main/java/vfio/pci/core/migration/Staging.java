// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.migration;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// One reading of a state: who reads it, and for the proposal's region how far the chunk has come that is staged now. A chunk is counted,
/// staged, told, and taken when what is pending is asked again; until then it stays in the stream, so that none is lost by asking twice.
/// In the device's turn.
final class Staging {
    private final StreamWriter stream;
    /// Whoever read first reads alone: parts that went to two of them are of use to neither.
    private Object reader;
    private Step step = Step.NONE;
    private int staged;

    private enum Step {
        /// Nothing is staged, and nobody asked how much there is.
        NONE,
        /// The client knows that there is something.
        COUNTED,
        /// A chunk is in the window.
        STAGED,
        /// The client knows how long it is.
        TOLD
    }

    /// A reading of this stream from its begin.
    Staging(StreamWriter stream) {
        this.stream = stream;
    }

    /// Whether it is a reading of this stream.
    boolean of(StreamWriter other) {
        return stream == other;
    }

    /// Refuses another reader than the first.
    ///
    /// @throws VfioException EBUSY
    void claim(Object client) throws VfioException {
        check(client);
        reader = client;
    }

    private void check(Object client) throws VfioException {
        if (reader != null && reader != client) {
            throw new VfioException(Errno.EBUSY, "state is read by another client or face expected=a copy of one's own");
        }
    }

    /// The client asks what is pending: the chunk it was told of is taken. For another one nothing changes.
    ///
    /// @param more what the vendor would add
    /// @return bytes
    long pending(Object client, long more) {
        boolean own = reader == null || reader == client;
        if (own && step == Step.TOLD) {
            stream.skip(staged);
            staged = 0;
            step = Step.NONE;
        }
        long pending = stream.waiting() + more;
        if (own && step == Step.NONE && pending > 0) {
            step = Step.COUNTED;
        }
        return pending;
    }

    /// Whether a chunk is to be staged now; not if one is already.
    ///
    /// @throws VfioException EINVAL out of order; EBUSY for another client
    boolean mayStage(Object client) throws VfioException {
        check(client);
        if (step == Step.NONE) {
            throw new VfioException(Errno.EINVAL, "data_offset expected=pending_bytes read before, and not 0");
        }
        reader = client;
        return step == Step.COUNTED;
    }

    /// Puts the next chunk into the window.
    void stage(MemorySegment window, long at, int room) {
        staged = stream.peek(window, at, room);
        step = Step.STAGED;
    }

    /// How long the staged chunk is.
    ///
    /// @throws VfioException EINVAL out of order; EBUSY for another client
    long staged(Object client) throws VfioException {
        check(client);
        if (step != Step.STAGED && step != Step.TOLD) {
            throw new VfioException(Errno.EINVAL, "data_size expected=data_offset read before");
        }
        step = Step.TOLD;
        return staged;
    }
}
