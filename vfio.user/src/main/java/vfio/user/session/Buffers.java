// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import linux.sys.Mapping;
import vfio.pci.api.VfioException;
import vfio.user.command.Exchange;
import vfio.user.trace.Tap;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.RegionAccessLayout;

/// Native memory of one connection after the other: what it received, and the answer it sends. Mapped, so that what a client does not use
/// costs nothing.
public final class Buffers implements AutoCloseable {
    /// Longest message: header, structure of an access, data.
    static final int LONGEST_MESSAGE = HeaderLayout.BYTES + RegionAccessLayout.BYTES + Exchange.MAX_DATA;
    /// Room for small messages behind a long one.
    private static final int SPARE = 0x10000;

    private final Mapping received;
    private final Mapping answer;
    private final Tap tap = new Tap();

    /// Fresh ones.
    ///
    /// @throws VfioException ENOMEM
    public Buffers() throws VfioException {
        received = Mapping.anonymous(LONGEST_MESSAGE + SPARE);
        try {
            answer = Mapping.anonymous(LONGEST_MESSAGE);
        } catch (VfioException e) {
            received.close();
            throw e;
        }
    }

    /// Where the messages can be watched.
    public Tap tap() {
        return tap;
    }

    MemorySegment received() {
        return received.memory();
    }

    MemorySegment answer() {
        return answer.memory();
    }

    /// Frees them; nobody may be using them.
    @Override
    public void close() {
        received.close();
        answer.close();
    }
}
