// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.gate;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/// What tests of who is inside have in common: the test's thread and another, and how long one waits for the other.
@Timeout(60)
abstract class TwoThreads {
    Worker other;

    @BeforeEach
    void startOther() {
        other = new Worker("other");
    }

    @AfterEach
    void endOther() throws InterruptedException {
        other.close();
    }

    /// For somebody who does not leave.
    static long soon() {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50);
    }

    /// For somebody who does.
    static long later() {
        return System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    }
}
