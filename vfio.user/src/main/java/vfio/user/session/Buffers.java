// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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
    static final int SPARE = 0x10000;

    private static final int SPARE_AND_LONGEST = LONGEST_MESSAGE + SPARE;

    private final List<Mapping> all = new ArrayList<>();
    private final MemorySegment received;
    private final MemorySegment receivedMeanwhile;
    private final MemorySegment answer;
    private final MemorySegment answerMeanwhile;
    private final MemorySegment transfer;
    private final MemorySegment twin;
    private final Tap tap = new Tap();

    /// Fresh ones.
    ///
    /// @throws VfioException ENOMEM
    public Buffers() throws VfioException {
        boolean complete = false;
        try {
            received = map(SPARE_AND_LONGEST);
            receivedMeanwhile = map(SPARE_AND_LONGEST);
            answer = map(LONGEST_MESSAGE);
            answerMeanwhile = map(LONGEST_MESSAGE);
            transfer = map(LONGEST_MESSAGE);
            twin = map(SPARE_AND_LONGEST);
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /// Where the messages can be watched.
    public Tap tap() {
        return tap;
    }

    private MemorySegment map(int bytes) throws VfioException {
        Mapping mapping = Mapping.anonymous(bytes);
        all.add(mapping);
        return mapping.memory();
    }

    MemorySegment received() {
        return received;
    }

    /// For what comes while a request is stuck.
    MemorySegment receivedMeanwhile() {
        return receivedMeanwhile;
    }

    MemorySegment answer() {
        return answer;
    }

    /// For answers that are sent while a request is stuck.
    MemorySegment answerMeanwhile() {
        return answerMeanwhile;
    }

    /// For DMA_READ and DMA_WRITE.
    MemorySegment transfer() {
        return transfer;
    }

    /// For what comes over the twin socket.
    MemorySegment twin() {
        return twin;
    }

    /// Frees them; nobody may be using them.
    @Override
    public void close() {
        all.forEach(Mapping::close);
    }
}
