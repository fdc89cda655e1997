// SPDX-License-Identifier: Apache-2.0
package itest.wire;

import itest.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What this process holds, which is the server's and the tests' alike: descriptors by what they are of, threads by name without numbers,
 * and mappings of memory files.
 *
 * @param counts by name
 */
public record Held(Map<String, Long> counts) {
    private static final Path FDS = Path.of("/proc/self/fd");
    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final String NUMBER = "[0-9]+";
    /**
     * Of what runs the tests, which flushes, for one, ten times a second with a pool's thread, which is now idle and now not; and of what
     * runs virtual threads, of which there are as many as it likes.
     */
    private static final List<String> NOT_COUNTED = List.of("surefire", "ForkJoinPool-", "VirtualThread-");

    /** What it holds now; threads of a pool that wait for work are not counted. */
    public static Held now() {
        return count(thread -> !isIdle(thread));
    }

    /** What it holds now, with all threads. */
    public static Held nowWithIdleThreads() {
        return count(thread -> true);
    }

    private static Held count(Predicate<StackTraceElement[]> counted) {
        Map<String, Long> counts = new TreeMap<>();
        descriptors(counts);
        Thread.getAllStackTraces().forEach((thread, stack) -> {
            if (NOT_COUNTED.stream().noneMatch(thread.getName()::startsWith) && counted.test(stack)) {
                counts.merge("thread " + thread.getName().replaceAll(NUMBER, "#"), 1L, Long::sum);
            }
        });
        counts.put("mappings of memory files", mappings("/memfd:"));
        return new Held(counts);
    }

    /** Returns when there is nothing that was not there before; fails, and says what is left behind, when there is for a minute. */
    public static void awaitNoMoreThan(Held before) {
        try {
            Await.until("nothing is left", LONGEST, () -> now().beyond(before).isEmpty());
        } catch (Exception | AssertionError e) { // checkstyle: allow IllegalCatch: what is left is told
            throw new AssertionError("left behind: " + now().beyond(before) + ": " + e.getMessage());
        }
    }

    private static boolean isIdle(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            if (frame.getClassName().equals("java.util.concurrent.ThreadPoolExecutor") && frame.getMethodName().equals("getTask")
                || frame.getClassName().equals("java.util.concurrent.ForkJoinPool") && frame.getMethodName().equals("awaitWork")) {
                return true;
            }
        }
        return false;
    }

    /** Files that the class loaders open are none of this. */
    private static void descriptors(Map<String, Long> counts) {
        try (DirectoryStream<Path> fds = Files.newDirectoryStream(FDS)) {
            for (Path fd : fds) {
                String target = target(fd);
                if (target.startsWith("/memfd:") || target.indexOf(':') > 0) {
                    counts.merge("descriptor " + target.replaceAll(NUMBER, "#"), 1L, Long::sum);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String target(Path fd) {
        try {
            return Files.readSymbolicLink(fd).toString();
        } catch (IOException e) {
            return "";
        }
    }

    /** How many mappings of this process there are whose line in its map contains this. */
    public static long mappings(String part) {
        try (var lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(part)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is there now and was not before, or is more. */
    public Map<String, Long> beyond(Held before) {
        return counts.entrySet().stream()
            .filter(now -> now.getValue() > before.counts.getOrDefault(now.getKey(), 0L))
            .collect(Collectors.toMap(Map.Entry::getKey, now -> now.getValue() - before.counts.getOrDefault(now.getKey(), 0L), Long::sum,
                TreeMap::new));
    }
}
