// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.Arrays;
import java.util.stream.Collectors;

/// Tells of a vendor's bug in words, so that no exception object of a bundle that may go is kept by a log.
public final class Faults {
    private static final int FRAMES = 12;

    private Faults() {
    }

    /// What was thrown, and the innermost frames.
    public static String describe(Throwable fault) {
        return fault.getClass().getName() + ": " + fault.getMessage() + Arrays.stream(fault.getStackTrace()).limit(FRAMES)
            .map(frame -> System.lineSeparator() + "    at " + frame).collect(Collectors.joining());
    }
}
