// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.io.File;

/// What the kernel says about this process.
public final class Proc {
    private Proc() {
    }

    /// How many descriptors this process has open, those of the JVM included. May be called by any thread.
    ///
    /// @throws IllegalStateException without `/proc`, or without a number left to look into it
    public static int openDescriptors() {
        String[] entries = new File("/proc/self/fd").list();
        if (entries == null) {
            throw new IllegalStateException("cannot list /proc/self/fd");
        }
        // One of them is the listing's own.
        return entries.length - 1;
    }
}
