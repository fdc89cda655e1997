// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.Arrays;
import java.util.stream.Collectors;

/// Tells of a vendor's bug in words, so that no exception object of a bundle that may go is kept by a log.
public final class Faults {
    private static final int FRAMES = 12;

    private Faults() {
    }

    /// What was thrown, and the innermost frames. What it says of itself is the vendor's code too, and may fail in its turn.
    public static String describe(Throwable fault) {
        String name = fault.getClass().getName();
        try {
            return name + ": " + fault.getMessage() + Arrays.stream(fault.getStackTrace()).limit(FRAMES)
                .map(frame -> System.lineSeparator() + "    at " + frame).collect(Collectors.joining());
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            return name + ", which cannot be described: " + e.getClass().getName();
        }
    }
}
