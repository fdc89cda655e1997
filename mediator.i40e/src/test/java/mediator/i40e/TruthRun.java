// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.migration.DirtyLog;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;

/// A guest that does things by chance while its memory is copied by what is reported, and the truth about that at the end: its memory
/// compared with the copy when the device has been stopped.
final class TruthRun {
    private static final int STEPS = 40;

    private final TrackedCard card;
    private final TruthGuest peer;
    private final String strategy;
    private final long seed;
    private final SplittableRandom random;
    private final TruthMemory memory = new TruthMemory();
    private boolean open;

    /// What came of it.
    ///
    /// @param missed pages that are not what they are on the other side
    /// @param reported pages that were copied
    /// @param surplus those of them that had not changed
    record Outcome(long seed, List<Integer> missed, int reports, int reported, int surplus) {
        /// Where the missed pages are in the guest's memory.
        @Override
        public String toString() {
            return "seed=%d missed=%s reports=%d reported=%d surplus=%d".formatted(seed,
                missed.stream().map(page -> "0x%x".formatted(page * TruthMemory.PAGE)).toList(), reports, reported, surplus);
        }
    }

    /// @param peer sends frames
    TruthRun(TrackedCard card, TruthGuest peer, String strategy, long seed) {
        this.card = card;
        this.peer = peer;
        this.strategy = strategy;
        this.seed = seed;
        this.random = new SplittableRandom(seed);
    }

    Outcome go(UnaryOperator<DirtyLog> mutation) throws VfioException {
        boolean mapped = random.nextBoolean();
        int start = random.nextInt(STEPS / 2);
        VfioDevice device = card.open(mapped ? 1 : 0, strategy, mutation);
        try (memory; TruthGuest guest = new TruthGuest(device, memory, mapped, random)) {
            Migration migration = device.migration().orElseThrow();
            if (random.nextBoolean()) {
                guest.takeInterrupts();
            }
            DirtyCopy copy = new DirtyCopy(memory, migration);
            for (int i = 0; i < start; i++) {
                step(guest, migration, Optional.empty());
            }
            migration.startLogging(TruthMemory.PAGE, List.of(new IovaRange(TruthMemory.IOVA, TruthMemory.SIZE)));
            memory.copyAll();
            for (int i = start; i < STEPS; i++) {
                step(guest, migration, Optional.of(copy));
            }
            migration.state(MigrationState.STOP);
            copy.report();
            List<Integer> missed = IntStream.range(0, DirtyCopy.PAGES).filter(memory::differs).boxed().toList();
            return new Outcome(seed, missed, copy.reports(), copy.reported(), copy.surplus());
        }
    }

    private void step(TruthGuest guest, Migration migration, Optional<DirtyCopy> copy) throws VfioException {
        TruthRings rings = guest.rings();
        switch (random.nextInt(16)) {
            case 0, 1, 2, 3 -> peer.transmit(1 + random.nextInt(40), guest.mac());
            case 4, 5, 6 -> {
                rings.takeFrames();
                guest.postAndRing(1 + random.nextInt(64));
                guest.enableInterrupt();
            }
            case 7, 8 -> guest.transmit(1 + random.nextInt(40), peer.mac());
            case 9 -> guest.chat();
            case 10, 11 -> {
                if (copy.isPresent()) {
                    copy.get().report();
                }
            }
            case 12 -> {
                if (open) {
                    boolean again = random.nextBoolean();
                    guest.close(again);
                    open = again;
                } else {
                    open(guest);
                }
            }
            case 13 -> open(guest);
            case 14 -> rare(guest, migration);
            default -> settle(guest);
        }
    }

    /// A queue that runs is described anew too: the device stops it for that, and its driver leaves the rings and tails alone until then.
    private void open(TruthGuest guest) throws VfioException {
        if (open && random.nextBoolean()) {
            guest.close(false);
            open = false;
        }
        guest.open(open ? 1 + random.nextInt(2) : random.nextInt(3), 32 * (1 + random.nextInt(8)), 8 * (1 + random.nextInt(16)));
        open = true;
    }

    private void rare(TruthGuest guest, Migration migration) throws VfioException {
        switch (random.nextInt(4)) {
            case 0 -> {
                guest.reset();
                open = false;
            }
            case 1 -> {
                migration.state(MigrationState.STOP);
                migration.state(MigrationState.RUNNING);
            }
            default -> memory.toggleLoose(guest.device());
        }
    }

    /// Until what was sent to the guest is there, or a moment has passed: it may have no buffers.
    private void settle(TruthGuest guest) {
        long end = System.nanoTime() + 500_000;
        while (System.nanoTime() < end && (peer.rings().unsent() > 0 || guest.rings().unsent() > 0)) {
            peer.rings().clean();
            guest.rings().clean();
            Thread.yield();
        }
    }
}
