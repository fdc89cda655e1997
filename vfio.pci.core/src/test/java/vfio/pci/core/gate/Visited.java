// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// Stands for a mediation in the tests of the gates: it knows whether it was closed, and keeps its first visitor in until a stop begins.
/// Made by the thread that stops it. Who waits parks, or else on a busy machine the visitors would keep the stopper from running.
final class Visited extends Guarded {
    /// For the counted gate, which each has of its own.
    final Calls calls = new Calls();
    private final AtomicBoolean kept = new AtomicBoolean();
    private final Thread stopper = Thread.currentThread();
    private volatile Thread inside;
    private volatile boolean stopping;
    private volatile boolean closed;

    /// What a visitor does.
    ///
    /// @return whether it saw the thing closed
    boolean visit() {
        boolean late = closed;
        if (kept.compareAndSet(false, true)) {
            inside = Thread.currentThread();
            LockSupport.unpark(stopper);
            while (!stopping) {
                LockSupport.park();
            }
        }
        for (int i = 0; i < 20; i++) {
            Thread.onSpinWait();
            late |= closed;
        }
        return late;
    }

    /// Returns when a visitor was seen inside, who does not leave before [#stopBegins()].
    void awaitVisitor() {
        while (inside == null) {
            LockSupport.park();
        }
    }

    void stopBegins() {
        stopping = true;
        LockSupport.unpark(inside);
    }

    void close() {
        closed = true;
    }
}
