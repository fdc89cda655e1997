// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// Where the threads of this process sleep in the kernel, by `/proc/self/task/TID/syscall`: tests wait for a thread to be *in* a call.
final class SleepingThreads {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private SleepingThreads() {
    }

    /// Waits until that thread, or another, sleeps in a system call whose first argument is that descriptor.
    static void awaitInCallOn(int descriptor, Thread thread) {
        // The file reads "NUMBER ARGUMENT... SP PC", or "running".
        String firstArgument = " 0x" + Integer.toHexString(descriptor) + " ";
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!anyIn(firstArgument)) {
            assertThat(thread.isAlive()).as("the thread came back instead of waiting").isTrue();
            assertThat(System.nanoTime() - deadline).as("the thread does not wait").isNegative();
            Thread.onSpinWait();
        }
    }

    private static boolean anyIn(String firstArgument) {
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                String call = callOf(task);
                if (call.indexOf(firstArgument) == call.indexOf(' ') && call.indexOf(' ') > 0) {
                    return true;
                }
            }
            return false;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /// Nothing of a thread that has ended, be it before the file is opened or before it is read.
    private static String callOf(Path task) {
        try {
            return Files.readString(task.resolve("syscall"));
        } catch (IOException ended) {
            return "";
        }
    }
}
