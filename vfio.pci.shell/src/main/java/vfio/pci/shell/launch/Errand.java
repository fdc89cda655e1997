// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.launch;

/// What the runtime is to do once it has started.
@FunctionalInterface
interface Errand {
    /// Exit code that leaves the runtime running.
    int STAY = -1;

    /// Does it, on a thread of its own.
    ///
    /// @return the exit code the process is to end with, or [#STAY]
    int run() throws InterruptedException;
}
