// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;

/// Many mappings of one file, as a VMM with a virtual IOMMU makes them: one for each page.
class SharedFileTest {
    private static final int PAGE = 0x1000;
    private static final int PAGES = 65_535;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer = arena.allocate(8);
    private final MappedFiles counted = new MappedFiles(100);
    private final DmaMap map = new DmaMap(PAGES, counted);

    @AfterEach
    void close() {
        map.unmapAll(this);
        arena.close();
    }

    private DmaMapping page(Fd file, long page, boolean writable, boolean byFile) throws VfioException {
        long offset = page * PAGE;
        return new DmaMapping(offset, PAGE, true, writable, byFile ? new DmaBacking.FileIo(file.duplicate(), offset)
            : new DmaBacking.File(file.duplicate(), offset));
    }

    private static long descriptors(String name) throws IOException {
        long found = 0;
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path fd : all) {
                try {
                    found += Files.readSymbolicLink(fd).toString().contains(name) ? 1 : 0;
                } catch (NoSuchFileException e) {
                    // Closed meanwhile: none of those that are counted.
                    continue;
                }
            }
        }
        return found;
    }

    private static long mappings(String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream().filter(line -> line.contains(name)).count();
    }

    @Test
    void takesOneDescriptorAndOneMappingForAsManyPagesAsThereMayBe() throws VfioException, IOException {
        for (boolean byFile : new boolean[] {false, true}) {
            for (boolean sealed : new boolean[] {false, true}) {
                String name = "pages-" + byFile + sealed;
                try (Fd file = Memfd.create(name, (long) PAGES * PAGE, sealed)) {
                    for (int i = 0; i < PAGES; i++) {
                        map.map(this, page(file, i, true, byFile));
                    }
                    assertThat(descriptors(name)).as("the client's and at most one more").isEqualTo(sealed && !byFile ? 1 : 2);
                    assertThat(mappings(name)).isEqualTo(byFile ? 0 : 1);
                    assertThat(counted.count()).isEqualTo(1);
                    long last = (long) (PAGES - 1) * PAGE;
                    buffer.set(ValueLayout.JAVA_LONG, 0, last);
                    map.write(last, buffer, 0, 8);
                    buffer.set(ValueLayout.JAVA_LONG, 0, 0);
                    assertThat(Fd.readAt(file, last, buffer, 0, 8)).isEqualTo(8);
                    assertThat(buffer.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(last);
                    for (int i = 0; i < PAGES - 1; i++) {
                        map.unmap(this, (long) i * PAGE, PAGE);
                    }
                    map.read(last, buffer, 0, 8);
                    map.unmap(this, last, PAGE);
                    assertThat(descriptors(name)).isEqualTo(1);
                    assertThat(mappings(name)).isZero();
                    assertThat(counted.count()).isZero();
                }
            }
        }
    }

    @Test
    void mapsAgainAFileThatBecameLonger() throws VfioException, IOException {
        try (Fd file = Memfd.create("growing", PAGE, false)) {
            map.map(this, page(file, 0, true, false));
            file.truncate(4 * PAGE);
            map.map(this, page(file, 3, true, false));
            map.map(this, page(file, 2, true, false));
            assertThat(mappings("growing")).isEqualTo(2);
            assertThat(counted.count()).isEqualTo(2);
            map.write(3 * PAGE, buffer, 0, 8);
            map.unmap(this, 0, PAGE);
            map.unmap(this, 3 * PAGE, PAGE);
            map.write(2 * PAGE, buffer, 0, 8);
            assertThat(mappings("growing")).isEqualTo(1);
            map.unmap(this, 2 * PAGE, PAGE);
            assertThat(counted.count()).isZero();
        }
    }

    @Test
    void mapsForReadingWhatMayNotBeWritten() throws VfioException, IOException {
        try (Fd file = Memfd.create("both", 4 * PAGE, false)) {
            map.map(this, page(file, 0, false, false));
            map.map(this, page(file, 1, true, false));
            map.map(this, page(file, 2, false, false));
            assertThat(mappings("both")).isEqualTo(2);
            assertThatThrownBy(() -> map.write(0, buffer, 0, 8)).isInstanceOfSatisfying(VfioException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EACCES));
            map.write(PAGE, buffer, 0, 8);
        }
    }

    @Test
    void failsOnlyThePagesThatWereCutOff() throws VfioException {
        for (boolean byFile : new boolean[] {false, true}) {
            try (Fd file = Memfd.create("cut", 4 * PAGE, false)) {
                map.map(this, page(file, 0, true, byFile));
                map.map(this, page(file, 3, true, byFile));
                file.truncate(PAGE);
                assertThatThrownBy(() -> map.write(3 * PAGE, buffer, 0, 8)).isInstanceOfSatisfying(VfioException.class,
                    e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
                map.write(0, buffer, 0, 8);
                map.unmapAll(this);
            }
        }
    }
}
