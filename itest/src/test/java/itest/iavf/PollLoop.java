// SPDX-License-Identifier: Apache-2.0
package itest.iavf;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import vfio.pci.api.VfioException;

/** A thread's loop over steps, which naps when there has been nothing to do for a while. */
public final class PollLoop {
    private static final int SPINS = 200;
    private static final long NAP_NANOS = TimeUnit.MICROSECONDS.toNanos(20);

    private final List<Step> steps;

    /** @param steps done in turn */
    public PollLoop(Step... steps) {
        this.steps = List.of(steps);
    }

    /**
     * Runs until that is so.
     *
     * @param standstill the longest time in which nothing may happen
     * @throws IavfException when nothing happens for that long
     */
    public void until(String what, Duration standstill, BooleanSupplier done) throws VfioException {
        int idle = 0;
        long last = System.nanoTime();
        while (!done.getAsBoolean()) {
            int work = 0;
            for (Step step : steps) {
                work += step.run();
            }
            if (work > 0) {
                idle = 0;
            } else if (idle++ < SPINS) {
                last = idle == 1 ? System.nanoTime() : last;
                Thread.onSpinWait();
            } else {
                if (System.nanoTime() - last > standstill.toNanos()) {
                    throw new IavfException("nothing for %s: %s, steps=%s", standstill, what, steps);
                }
                if (Thread.interrupted()) {
                    throw new IavfException("interrupted: %s, steps=%s", what, steps);
                }
                LockSupport.parkNanos(NAP_NANOS);
            }
        }
    }
}
