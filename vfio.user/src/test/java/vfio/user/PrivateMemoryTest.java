// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// Memory whose file is not what the guest sees. The client is this process, and maps the file as a VMM would.
class PrivateMemoryTest {
    private static final int SIZE = 0x4000;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private final Logger logger = Logger.getLogger("vfio.user.session.PrivateMemory");
    private final Lines lines = new Lines();

    /// What is logged, formatted.
    private static final class Lines extends Handler {
        private final Queue<String> all = new ConcurrentLinkedQueue<>();

        @Override
        public void publish(LogRecord logged) {
            all.add(new SimpleFormatter().formatMessage(logged));
        }

        @Override
        public void flush() {
            // nothing is held back
        }

        @Override
        public void close() {
            // nothing is open
        }
    }

    @BeforeEach
    void listen() {
        logger.addHandler(lines);
    }

    @AfterEach
    void hear() {
        logger.removeHandler(lines);
    }

    private static void map(RawClient client, Fd file, long offset, int flags) {
        assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, flags).u64(offset, offset, 0x1000), file).errno()).isZero();
    }

    /// As QEMU with `share=off`.
    private static MemorySegment privately(Fd file, Arena arena) throws IOException {
        Path path = Path.of("/proc/self/fd/" + file.number());
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.PRIVATE, 0, SIZE, arena);
        }
    }

    @Test
    void isReportedOnceInPlainWords() throws VfioException, IOException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", SIZE, false); Fd other = Memfd.create("more", SIZE, false);
                Arena arena = Arena.ofConfined()) {
            assertThat(privately(file, arena).byteSize()).isEqualTo(SIZE);
            for (long offset = 0; offset < SIZE; offset += 0x1000) {
                map(client, file, offset, 3);
            }
            ServerFixture.await("it is said", () -> !lines.all.isEmpty());
            assertThat(privately(other, arena).byteSize()).isEqualTo(SIZE);
            assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, 0x10000, 0x1000), other).errno()).isZero();
            assertThat(lines.all).singleElement().asString().contains("share=on", "device=" + TestPci.FIRST,
                "pid=" + ProcessHandle.current().pid());
        }
    }

    @Test
    void isNotSaidOfMemoryThatIsSharedNotMappedOrOnlyRead() throws VfioException, IOException {
        try (RawClient client = fixture.ready(); Fd shared = Memfd.create("ram", SIZE, false);
                Fd unmapped = Memfd.create("no", SIZE, false); Fd both = Memfd.create("both", SIZE, false);
                Fd read = Memfd.create("rom", SIZE, false);
                Fd last = Memfd.create("last", SIZE, false); Arena arena = Arena.ofConfined()) {
            try (Mapping mapping = Mapping.of(shared, 0, SIZE, true, true); Mapping second = Mapping.of(both, 0, SIZE, true, true)) {
                assertThat(mapping.memory().byteSize() + second.memory().byteSize() + privately(both, arena).byteSize()
                    + privately(read, arena).byteSize() + privately(last, arena).byteSize()).isEqualTo(5 * SIZE);
                map(client, shared, 0, 3);
                map(client, unmapped, 0x1000, 3);
                map(client, both, 0x2000, 3);
                map(client, read, 0x3000, 1);
                // The files are looked at in their order or side by side, and this one is told of.
                assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, 0x10000, 0x1000), last).errno()).isZero();
                ServerFixture.await("the last is told of", () -> !lines.all.isEmpty());
                assertThat(lines.all).singleElement().asString().contains("inode=" + Fd.identity(last).inode() + ")");
            }
        }
    }
}
