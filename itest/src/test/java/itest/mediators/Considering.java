// SPDX-License-Identifier: Apache-2.0
package itest.mediators;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;

/** Answers as {@link Answering} does, but accepts a device only when the board says so, or after ten seconds. */
public final class Considering extends Mediator {
    /** Not 0: it accepts at once. */
    public static final String DECIDED = "decided";

    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    public Considering(Setting setting) {
        super(setting);
    }

    @Override
    Optional<Mediation> asked(PciFunction function, MediationContext context) {
        long given = System.nanoTime() + LONGEST_NANOS;
        while (setting().number(DECIDED).get() == 0 && System.nanoTime() - given < 0) {
            LockSupport.parkNanos(NAP_NANOS);
        }
        return Optional.of(new Answering.Answer(setting()));
    }
}
