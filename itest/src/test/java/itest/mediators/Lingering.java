// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/** A read stays inside until its bundle's stop has begun, and up to two milliseconds longer; later reads then leave at once. */
public final class Lingering extends Mediator {
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long NAP_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    public Lingering(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        return Optional.of(new Stay(setting()));
    }

    private static final class Stay extends WatchedMediation {
        private final AtomicLong stopping;
        private final long stopsBefore;

        Stay(Setting setting) {
            super(setting);
            this.stopping = setting.number(Setting.STOPPING);
            this.stopsBefore = stopping.get();
        }

        @Override
        Verdict onRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
            long given = System.nanoTime() + LONGEST_NANOS;
            while (stopping.get() == stopsBefore && System.nanoTime() - given < 0) {
                LockSupport.parkNanos(NAP_NANOS);
            }
            long end = System.nanoTime() + ThreadLocalRandom.current().nextLong(LONGEST_AFTER_NANOS);
            while (System.nanoTime() - end < 0) {
                Thread.onSpinWait();
            }
            return Verdict.PASS_THROUGH;
        }
    }
}
