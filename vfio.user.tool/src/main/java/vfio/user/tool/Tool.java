// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import vfio.pci.api.VfioException;
import vfio.user.tool.probe.ProbeCommand;
import vfio.user.tool.replay.ReplayCommand;

/// The program: the first argument says which tool.
public final class Tool {
    /// A wrong call.
    static final int USAGE = 2;
    /// The tool could not do its work.
    static final int FAILURE = 3;

    private Tool() {
    }

    /// Ends the process with the tool's exit code.
    public static void main(String[] arguments) {
        int code = run(Arrays.asList(arguments), System.out, System.err);
        System.out.flush();
        System.exit(code);
    }

    static int run(List<String> arguments, PrintStream out, PrintStream err) {
        try {
            List<String> rest = arguments.subList(Math.min(1, arguments.size()), arguments.size());
            return switch (arguments.isEmpty() ? "" : arguments.getFirst()) {
                case "probe" -> ProbeCommand.run(rest, out);
                case "replay" -> ReplayCommand.run(rest, out);
                default -> throw new IllegalArgumentException("tool=%s expected=probe or replay".formatted(arguments));
            };
        } catch (IllegalArgumentException e) {
            err.println("error: " + e.getMessage());
            return USAGE;
        } catch (VfioException e) {
            err.println("error: " + e);
            return FAILURE;
        }
    }
}
