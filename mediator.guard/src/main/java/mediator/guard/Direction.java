// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import java.util.Locale;

/// Which accesses a rule is about; of a DMA window, what the device may do there.
enum Direction {
    /// Reads alone; windows that the device may read.
    READ,
    /// Writes alone; windows that the device may write.
    WRITE,
    /// Both; any window.
    ACCESS;

    boolean includes(Direction one) {
        return this == ACCESS || this == one;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
