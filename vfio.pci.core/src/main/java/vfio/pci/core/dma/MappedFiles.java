// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// How many files of clients are open and mapped. A process may have only so many mappings (`vm.max_map_count`), and a JVM that gets none
/// for a thread or for its heap dies; it may have only so many descriptors (`RLIMIT_NOFILE`), and without one it takes no client. A
/// client must not be able to bring either about.
final class MappedFiles {
    /// Those of this process, of all devices together: half of what there may be is the JVM's.
    static final MappedFiles OF_THIS_PROCESS = new MappedFiles(Math.min(mostOfProcess(), mostDescriptors()) / 2);

    /// Linux's `DEFAULT_MAX_MAP_COUNT`.
    private static final int DEFAULT_MAX_MAP_COUNT = 65_530;

    private final int most;
    private final AtomicInteger mapped = new AtomicInteger();

    MappedFiles(int most) {
        this.most = most;
    }

    /// Such a file gives its number to one read from its start, and no more than that read asks for: a reader with a buffer is needed.
    private static int mostOfProcess() {
        try (BufferedReader limit = Files.newBufferedReader(Path.of("/proc/sys/vm/max_map_count"))) {
            return Integer.parseInt(limit.readLine());
        } catch (IOException | NumberFormatException e) {
            return DEFAULT_MAX_MAP_COUNT;
        }
    }

    /// The soft limit as the kernel has it.
    private static int mostDescriptors() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/limits"))) {
            return lines.filter(line -> line.startsWith("Max open files")).map(line -> line.split("\\s{2,}")[1])
                .mapToInt(MappedFiles::atMostInt).findFirst().orElse(Integer.MAX_VALUE);
        } catch (IOException e) {
            return Integer.MAX_VALUE;
        }
    }

    private static int atMostInt(String limit) {
        try {
            return (int) Math.min(Integer.MAX_VALUE, Long.parseLong(limit));
        } catch (NumberFormatException e) {
            // "unlimited"
            return Integer.MAX_VALUE;
        }
    }

    /// How many there are now.
    int count() {
        return mapped.get();
    }

    int most() {
        return most;
    }

    /// One more is going to be open or mapped; [#giveBack()] follows when it no longer is.
    ///
    /// @throws VfioException ENOSPC when there are too many
    void take() throws VfioException {
        if (mapped.incrementAndGet() > most) {
            mapped.decrementAndGet();
            throw new VfioException(Errno.ENOSPC, "mapped files=%d expected=at most that many in this process".formatted(most));
        }
    }

    /// One is not mapped any more.
    void giveBack() {
        mapped.decrementAndGet();
    }
}
