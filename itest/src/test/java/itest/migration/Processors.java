// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import itest.iavf.Step;

/** A guest's processors: threads that take turns in steps, and stand still between two of them while the machine is paused. */
final class Processors {
    private boolean paused;
    private int running;

    /** The same step, done only while the machine runs. */
    Step gated(Step step) {
        return () -> {
            enter();
            try {
                return step.run();
            } finally {
                leave();
            }
        };
    }

    private synchronized void enter() {
        boolean interrupted = false;
        while (paused) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        running++;
    }

    private synchronized void leave() {
        running--;
        notifyAll();
    }

    /** Stops them; on return none is in a step. */
    synchronized void pause() {
        paused = true;
        boolean interrupted = false;
        while (running > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Lets them go on. */
    synchronized void resume() {
        paused = false;
        notifyAll();
    }
}
