// SPDX-License-Identifier: Apache-2.0
package vfio.pci.shell.control;

import java.io.OutputStream;

/// Runs one command line.
@FunctionalInterface
public interface CommandRunner {
    /// The command did what it should.
    int SUCCESS = 0;
    /// The command failed; the last line on its standard error says why.
    int FAILURE = 3;

    /// Runs the command to its end, on the calling thread or others; called by many threads at once. Never throws on the command's account.
    ///
    /// @param out what the command prints, and its result if it has one
    /// @param err what the command prints there, and why it failed
    /// @return [#SUCCESS] or [#FAILURE]
    int run(String command, OutputStream out, OutputStream err);
}
