// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.HashSet;
import java.util.Set;
import java.util.function.BiPredicate;
import vfio.pci.api.migration.DirtyLog;

/// Strategies that are wrong in one thing: a mark that they make gets lost on its way.
enum DirtyMutant {
    RECEIVE_BUFFERS("doorbell-trap", within(TruthRings.BUFFERS, TruthMemory.SIZE)),
    RECEIVE_RING("doorbell-trap", within(TruthRings.RECEIVE, TruthRings.RECEIVE_END)),
    TRANSMIT_RING("doorbell-trap", within(TruthRings.TRANSMIT, TruthRings.TRANSMIT_END)),
    MESSAGE_BUFFERS("doorbell-trap", within(TruthRings.ARQ_BUFFERS, TruthRings.ARQ_BUFFERS_END)),
    MESSAGE_RING("doorbell-trap", within(TruthRings.ARQ, TruthRings.ARQ + TruthMemory.PAGE)),
    COMMAND_RING("doorbell-trap", within(TruthRings.ATQ, TruthRings.ATQ + TruthMemory.PAGE)),
    /// A buffer is reported when it was handed over, and not again.
    NOT_UNTIL_COMPLETE("doorbell-trap", (iova, seen) -> iova >= TruthMemory.IOVA + TruthRings.BUFFERS && !seen.add(iova)),
    NO_TRANSFERS("device-log", (iova, seen) -> false),
    NOT_EVERYTHING("all", (iova, seen) -> false);

    private final String strategy;
    private final BiPredicate<Long, Set<Long>> lost;

    DirtyMutant(String strategy, BiPredicate<Long, Set<Long>> lost) {
        this.strategy = strategy;
        this.lost = lost;
    }

    private static BiPredicate<Long, Set<Long>> within(long from, long to) {
        return (iova, seen) -> iova >= TruthMemory.IOVA + from && iova < TruthMemory.IOVA + to;
    }

    String strategy() {
        return strategy;
    }

    /// The log with the mark lost.
    DirtyLog log(DirtyLog real) {
        Set<Long> seen = new HashSet<>();
        return new DirtyLog() {
            @Override
            public synchronized void mark(long iova, long length) {
                if (!lost.test(iova, seen)) {
                    real.mark(iova, length);
                }
            }

            @Override
            public void markTransfers(boolean on) {
                real.markTransfers(on && DirtyMutant.this != NO_TRANSFERS);
            }

            @Override
            public void markEverything(boolean on) {
                real.markEverything(on && DirtyMutant.this != NOT_EVERYTHING);
            }
        };
    }
}
