// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips a class when this machine has no QEMU or guest kernel; with VFIO_GUEST=required in the environment it fails then. */
final class NeedsGuest implements ExecutionCondition, BeforeAllCallback {
    private static final String ASK = """
        here=$0
        . "$here/cache.sh"
        has_qemu || no_guest "there is no QEMU with vfio-user-pci"
        has_guest || no_guest "there is no guest kernel"
        """;

    private static final Duration DOWNLOAD = Duration.ofMinutes(20);

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return required() ? ConditionEvaluationResult.enabled("a guest is required")
            : missing().map(ConditionEvaluationResult::disabled).orElseGet(() -> ConditionEvaluationResult.enabled("there is a guest"));
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        missing().ifPresent(reason -> {
            throw new AssertionError("VFIO_GUEST=required, and " + reason);
        });
    }

    /** Has the kernel of another Debian release; what needs it is skipped, or fails, as what needs a guest is. */
    static void fetchKernel(String release) throws IOException, InterruptedException {
        try (var fetch = new Program("fetch", Guest.script("fetch", release).redirectErrorStream(true))) {
            boolean there = fetch.awaitEnd(DOWNLOAD) == 0;
            if (!there && required()) {
                throw new AssertionError("VFIO_GUEST=required" + fetch.transcript());
            }
            assumeTrue(there, fetch::transcript);
        }
    }

    private static boolean required() {
        return "required".equals(System.getenv("VFIO_GUEST"));
    }

    private static Optional<String> missing() {
        try {
            var process = new ProcessBuilder("sh", "-c", ASK, System.getProperty("guest.scripts"))
                .redirectInput(Path.of("/dev/null").toFile()).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? Optional.empty()
                : Optional.of(said.replaceFirst("^no guest can be had: ", "") + ": run ./vfio guest");
        } catch (IOException e) {
            return Optional.of(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
    }
}
