// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static linux.sys.Errors.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

class MappingTest {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    @ParameterizedTest
    @CsvSource({"1, 4096", "2048, 4096", "-4096, 4096", "0, 0", "0, -1", "4096, 9223372036854775807"})
    void rejectsOffsetOrSizeOutOfShape(long offset, long size) throws VfioException {
        try (Fd fd = Memfd.create("test", 8192, true)) {
            VfioException failure = assertFails(Errno.EINVAL, "mmap", () -> Mapping.of(fd, offset, size, true, true));
            assertThat(failure).hasMessageContaining("offset=0x" + Long.toHexString(offset))
                    .hasMessageContaining("size=0x" + Long.toHexString(size));
        }
    }

    @Test
    void reportsWhatTheKernelRefuses() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            try (EventFd eventFd = EventFd.create(); Fd memory = Memfd.create("test", 4096, true)) {
                assertFails(Errno.ENODEV, "mmap", () -> Mapping.of(eventFd.fd(), 0, 4096, true, true));
                assertFails(Errno.EBADF, "mmap", () -> Mapping.of(Fd.own(0x7FFF_FFF0), 0, 4096, true, true));
                assertFails(Errno.ENOMEM, "mmap", () -> Mapping.of(memory, 0, 1L << 60, true, true));
                assertFails(Errno.ENOMEM, "mmap", () -> Mapping.anonymous(1L << 60));
                assertFails(Errno.EINVAL, "mmap", () -> Mapping.anonymous(0));
            }
        });
    }

    @Test
    void rejectsClosedDescriptor() throws VfioException {
        Fd fd = Memfd.create("test", 4096, true);
        fd.close();
        assertThatIllegalStateException().isThrownBy(() -> Mapping.of(fd, 0, 4096, true, true));
    }

    @Test
    void sharesTheFileAndOutlivesTheDescriptor() throws VfioException, InterruptedException {
        Descriptors.assertKept(() -> {
            Fd fd = Memfd.create("test", 8192, true);
            try (Mapping whole = Mapping.of(fd, 0, 8192, true, true); Mapping second = Mapping.of(fd, 4096, 4096, true, true)) {
                fd.close();
                whole.memory().set(LONG, 4096 + 8, 0x1122334455667788L);
                assertThat(second.memory().byteSize()).isEqualTo(4096);
                assertThat(second.memory().get(LONG, 8)).isEqualTo(0x1122334455667788L);
            }
        });
    }

    @Test
    void sizeIsExactlyWhatWasAskedFor() throws VfioException {
        try (Fd fd = Memfd.create("test", 8192, true); Mapping mapping = Mapping.of(fd, 0, 5000, true, true)) {
            assertThat(mapping.memory().byteSize()).isEqualTo(5000);
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> mapping.memory().get(ValueLayout.JAVA_BYTE, 5000));
        }
    }

    @Test
    void readOnlyMappingCannotBeWritten() throws VfioException {
        try (Fd fd = Memfd.create("test", 4096, true); Mapping mapping = Mapping.of(fd, 0, 4096, true, false)) {
            assertThat(mapping.memory().isReadOnly()).isTrue();
            assertThat(mapping.memory().get(LONG, 0)).isZero();
            assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> mapping.memory().set(LONG, 0, 1));
        }
    }

    @Test
    void anonymousMemoryIsZeroAndWritable() throws VfioException {
        try (Mapping mapping = Mapping.anonymous(4096)) {
            assertThat(mapping.memory().get(LONG, 4088)).isZero();
            mapping.memory().set(LONG, 4088, 5);
            assertThat(mapping.memory().get(LONG, 4088)).isEqualTo(5);
        }
    }

    @Test
    void closeUnmapsOnce() throws VfioException, IOException {
        Fd fd = Memfd.create("unmapped-once", 4096, true);
        Mapping mapping = Mapping.of(fd, 0, 4096, true, true);
        fd.close();
        assertThat(mapsNaming("unmapped-once")).hasSize(1);
        mapping.close();
        assertThat(mapsNaming("unmapped-once")).isEmpty();
        mapping.close();
        assertThatIllegalStateException().isThrownBy(() -> mapping.memory().get(LONG, 0));
    }

    private static List<String> mapsNaming(String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream().filter(line -> line.contains(name)).toList();
    }

    @Test
    void closeUnderAccessEndsEveryThreadWithAnException()
            throws VfioException, InterruptedException, ExecutionException, TimeoutException {
        int threads = 3;
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            for (int round = 0; round < 50; round++) {
                Fd fd = Memfd.create("test", 8192, true);
                Mapping mapping = Mapping.of(fd, 0, 8192, true, true);
                fd.close();
                CountDownLatch busy = new CountDownLatch(threads);
                List<Future<Exception>> ends = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    ends.add(executor.submit(accessUntilRefused(mapping.memory(), busy)));
                }
                assertThat(busy.await(30, TimeUnit.SECONDS)).isTrue();
                mapping.close();
                for (Future<Exception> end : ends) {
                    assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(IllegalStateException.class);
                }
            }
        }
    }

    private static Callable<Exception> accessUntilRefused(MemorySegment memory, CountDownLatch busy) {
        return () -> {
            try {
                for (long i = 0;; i++) {
                    long at = i % 1024 * Long.BYTES;
                    memory.set(LONG, at, memory.get(LONG, at) + 1);
                    if (i == 1000) {
                        busy.countDown();
                    }
                }
            } catch (IllegalStateException closed) {
                return closed;
            }
        };
    }
}
