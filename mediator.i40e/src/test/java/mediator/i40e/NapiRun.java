// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;

/// A guest that receives frames one by one, gives another buffer for each, and enables its interrupt after each or never.
final class NapiRun {
    private static final int FRAMES = 64;
    private static final int RING = 32;

    private final TrackedCard card;
    private final TruthGuest peer;
    private final String strategy;

    NapiRun(TrackedCard card, TruthGuest peer, String strategy) {
        this.card = card;
        this.peer = peer;
        this.strategy = strategy;
    }

    /// The pages that are not what they are on the other side, after all was stopped and reported once.
    List<Integer> missed(boolean byInterrupts) throws VfioException {
        VfioDevice device = card.open(1, strategy, UnaryOperator.identity());
        try (TruthMemory memory = new TruthMemory(); TruthGuest guest = new TruthGuest(device, memory, true, new SplittableRandom(1))) {
            guest.takeInterrupts();
            guest.open(0, RING, RING);
            Migration migration = device.migration().orElseThrow();
            migration.startLogging(TruthMemory.PAGE, List.of(new IovaRange(TruthMemory.IOVA, TruthMemory.SIZE)));
            memory.copyAll();
            for (int i = 0; i < FRAMES; i++) {
                receive(guest, byInterrupts);
            }
            migration.state(MigrationState.STOP);
            DirtyCopy copy = new DirtyCopy(memory, migration);
            copy.report();
            return IntStream.range(0, DirtyCopy.PAGES).filter(memory::differs).boxed().toList();
        }
    }

    private void receive(TruthGuest guest, boolean byInterrupt) throws VfioException {
        int before = guest.fired();
        peer.transmit(1, guest.mac());
        if (byInterrupt) {
            TruthGuest.await("an interrupt", () -> guest.fired() > before);
        }
        TruthGuest.await("a frame", () -> guest.rings().takeFrames() > 0);
        guest.postAndRing(1);
        if (byInterrupt) {
            guest.enableInterrupt();
        }
    }
}
