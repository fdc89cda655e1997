// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/**
 * Sleeps for a minute in each read of VFGEN_RSTAT of a device that the board has {@link #ASLEEP}, whoever interrupts it; less if the
 * board says otherwise meanwhile. After that it calls the device below and notes what that said.
 */
public final class Sleeping extends Mediator {
    /** Whether a device sleeps, by its address. */
    public static final String ASLEEP = "asleep";
    /** How many threads sleep in a device, by its address. */
    public static final String SLEEPERS = "sleepers";
    /** How often a sleeping thread was interrupted, by the device's address. */
    public static final String INTERRUPTED = "interrupted";

    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SLEEP_NANOS = TimeUnit.MINUTES.toNanos(1);

    public Sleeping(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Sleep(setting(), function.address().toString(), context));
    }

    private static final class Sleep extends WatchedMediation {
        private final MediationContext context;
        private final AtomicLong asleep;
        private final AtomicLong sleepers;
        private final AtomicLong interrupted;

        Sleep(Setting setting, String address, MediationContext context) {
            super(setting);
            this.context = context;
            this.asleep = setting.board().number(ASLEEP, address);
            this.sleepers = setting.board().number(SLEEPERS, address);
            this.interrupted = setting.board().number(INTERRUPTED, address);
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            if (offset != Answering.VFGEN_RSTAT || asleep.get() == 0) {
                return Verdict.PASS_THROUGH;
            }
            sleep();
            try {
                context.readBelow(region, offset, buffer, bufferOffset, count);
            } catch (VfioException e) {
                setting().board().note(e.errno().toString());
                throw e;
            }
            return Verdict.HANDLED;
        }

        private void sleep() {
            sleepers.incrementAndGet();
            long end = System.nanoTime() + SLEEP_NANOS;
            while (asleep.get() > 0 && System.nanoTime() - end < 0) {
                LockSupport.parkNanos(NAP_NANOS);
                if (Thread.interrupted()) {
                    interrupted.incrementAndGet();
                }
            }
            sleepers.decrementAndGet();
        }
    }
}
