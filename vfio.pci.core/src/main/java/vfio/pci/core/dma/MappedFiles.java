// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// How many files of clients are mapped. A process may have only so many mappings (`vm.max_map_count`), and a JVM that gets none for a
/// thread or for its heap dies: a client must not be able to bring that about.
final class MappedFiles {
    /// Those of this process, of all devices together: half of what there may be is the JVM's.
    static final MappedFiles OF_THIS_PROCESS = new MappedFiles(mostOfProcess() / 2);

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

    int most() {
        return most;
    }

    /// One more is going to be mapped; [#giveBack()] follows when it no longer is.
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
