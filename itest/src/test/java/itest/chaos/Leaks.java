// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.Await;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Looks for class loaders that are held though their bundles are gone, and in the heap for what holds them. */
final class Leaks {
    private static final Duration LONGEST = Duration.ofSeconds(60);
    /** Beginnings of the names of the project's classes. */
    private static final List<String> OWN = List.of("vfio.", "device.sim.", "linux.sys.", "mediator.");
    private static final String LOADER = "org.apache.felix.framework.BundleWiringImpl$BundleClassLoader";

    private Leaks() {
    }

    /** Returns when all of them are collected; fails when some are not, and says what holds the first of them. */
    static void requireCollected(Collection<BundleLoader> loaders) throws Exception {
        try {
            Await.until("the class loaders are collected", LONGEST, () -> {
                System.gc();
                return loaders.stream().noneMatch(BundleLoader::isHeld);
            });
        } catch (AssertionError e) {
            // Not with that as its cause, of which alone Pax Exam would tell.
            throw new AssertionError("%s; held: %s; %s".formatted(e.getMessage(),
                loaders.stream().filter(BundleLoader::isHeld).map(BundleLoader::name).toList(), whoHoldsThem()));
        }
    }

    /** How many instances there are of each class of the project's, and class loaders of bundles. */
    static Map<String, Integer> census() throws IOException {
        try (HeapDump heap = HeapDump.take()) {
            Map<String, Integer> counts = heap.census();
            counts.keySet().removeIf(name -> !name.equals(LOADER) && OWN.stream().noneMatch(name::startsWith));
            return counts;
        }
    }

    /** Class loaders of bundles in such a count. */
    static int loaders(Map<String, Integer> census) {
        return census.getOrDefault(LOADER, 0);
    }

    /**
     * Returns when no class has so many more instances than before; fails when one has for a minute: timers may keep some for seconds.
     *
     * @return what there is then
     */
    static Map<String, Integer> requireFewer(int more, Map<String, Integer> before) throws Exception {
        Map<String, Integer> now = new TreeMap<>();
        try {
            Await.until("the heap is as before", LONGEST, () -> {
                now.clear();
                now.putAll(census());
                return now.keySet().stream().noneMatch(name -> grown(name, before, now) >= more);
            });
        } catch (AssertionError e) {
            now.keySet().removeIf(name -> grown(name, before, now) < more);
            throw new AssertionError("instances that came: " + now + ", before: " + before);
        }
        return now;
    }

    private static int grown(String name, Map<String, Integer> before, Map<String, Integer> now) {
        return now.get(name) - before.getOrDefault(name, 0);
    }

    /** Paths to the class loaders that are known by a {@link BundleLoader} and held otherwise. */
    static List<String> whoHoldsThem() throws IOException {
        try (HeapDump heap = HeapDump.take()) {
            List<Long> wanted = new ArrayList<>();
            for (long known : heap.instances(BundleLoader.class.getName())) {
                long loader = heap.reference(heap.reference(known, "loader"), "referent");
                if (loader != 0) {
                    wanted.add(loader);
                }
            }
            Map<Long, Step> steps = spread(heap);
            return wanted.stream().limit(3).map(loader -> path(heap, steps, loader)).toList();
        }
    }

    /** How an object is reached. */
    private record Step(long from, String by) {
    }

    private static Map<Long, Step> spread(HeapDump heap) {
        Map<Long, Step> steps = new HashMap<>();
        Deque<Long> next = new ArrayDeque<>();
        heap.roots().forEach((id, kind) -> {
            steps.put(id, new Step(0, kind));
            next.add(id);
        });
        while (!next.isEmpty()) {
            long from = next.poll();
            heap.references(from).forEach((by, to) -> {
                if (steps.putIfAbsent(to, new Step(from, by)) == null) {
                    next.add(to);
                }
            });
        }
        return steps;
    }

    private static String path(HeapDump heap, Map<Long, Step> steps, long to) {
        var path = new StringBuilder(heap.describe(to));
        for (Step step = steps.get(to); step != null && step.from() != 0; step = steps.get(step.from())) {
            path.insert(0, heap.describe(step.from()) + "." + step.by() + " -> ");
        }
        return path.toString();
    }
}
