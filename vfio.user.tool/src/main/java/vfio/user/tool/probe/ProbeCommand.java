// SPDX-License-Identifier: Apache-2.0
package vfio.user.tool.probe;

import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.VfioException;

/// `probe SOCKET [-j] [--timeout SECONDS]`.
public final class ProbeCommand {
    private static final int LONGEST_TIMEOUT = 3600;

    private ProbeCommand() {
    }

    /// Prints what a server offers.
    ///
    /// @return the exit code
    /// @throws VfioException when the server is not there, does not answer in time, or not as the protocol has it
    /// @throws IllegalArgumentException for a wrong call
    public static int run(List<String> arguments, PrintStream out) throws VfioException {
        Duration timeout = Duration.ofSeconds(5);
        boolean json = false;
        List<Path> sockets = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            switch (arguments.get(i)) {
                case "-j", "--json" -> json = true;
                case "--timeout" -> {
                    i++;
                    timeout = seconds(i < arguments.size() ? arguments.get(i) : "");
                }
                default -> sockets.add(path(arguments.get(i)));
            }
        }
        if (sockets.size() != 1) {
            throw new IllegalArgumentException("arguments=%d expected=SOCKET [-j] [--timeout SECONDS]".formatted(sockets.size()));
        }
        Offer offer = Probe.of(sockets.getFirst(), timeout);
        if (json) {
            out.println(OfferJson.of(offer));
        } else {
            OfferText.print(offer, out);
        }
        return 0;
    }

    private static Path path(String text) {
        if (text.startsWith("-")) {
            throw new IllegalArgumentException("option=%s expected=-j or --timeout SECONDS".formatted(text));
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("socket=%s expected=a path".formatted(text));
        }
    }

    private static Duration seconds(String text) {
        try {
            int seconds = Integer.parseInt(text);
            if (seconds > 0 && seconds <= LONGEST_TIMEOUT) {
                return Duration.ofSeconds(seconds);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("timeout=%s expected=1 to %d seconds".formatted(text, LONGEST_TIMEOUT));
        }
        throw new IllegalArgumentException("timeout=%s expected=1 to %d seconds".formatted(text, LONGEST_TIMEOUT));
    }
}
