// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.dma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;

/// A client that cuts its memory's file short under the map: its own transfers fail, and nothing else does.
class TruncatedMemoryTest {
    private static final int SIZE = 0x10000;
    private static final int ROUNDS = 300;

    private static DmaMap mapOf(Fd file, boolean byFile) throws VfioException {
        DmaMap map = new DmaMap(16);
        map.map(map, new DmaMapping(0, SIZE, true, true, byFile ? new DmaBacking.FileIo(file.duplicate(), 0)
            : new DmaBacking.File(file.duplicate(), 0)));
        return map;
    }

    @Test
    void failsTheTransfersOfItsOwner() throws VfioException {
        for (boolean byFile : new boolean[] {false, true}) {
            try (Fd file = Memfd.create("ram", SIZE, false); Arena arena = Arena.ofConfined()) {
                DmaMap map = mapOf(file, byFile);
                MemorySegment buffer = arena.allocate(SIZE);
                map.write(0, buffer, 0, SIZE);
                map.read(0, buffer, 0, SIZE);
                file.truncate(0x1000);
                for (int i = 0; i < ROUNDS; i++) {
                    assertThatThrownBy(() -> map.read(0x8000, buffer, 0, 0x1000)).isInstanceOfSatisfying(VfioException.class,
                        e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
                    assertThatThrownBy(() -> map.write(0x8000, buffer, 0, 0x1000)).isInstanceOfSatisfying(VfioException.class,
                        e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
                }
                assertThat(file.size()).as("nobody made it longer").isEqualTo(0x1000);
                map.unmapAll(map);
            }
        }
    }

    /// One thread serves both, as a loop does: what the JVM says of the one's memory must not arrive in the other's transfer.
    @Test
    void doesNotReachAnotherDevicesTransfer() throws Exception {
        try (Fd bad = Memfd.create("bad", SIZE, false); Fd good = Memfd.create("good", SIZE, true); Arena arena = Arena.ofShared()) {
            DmaMap badMap = mapOf(bad, false);
            DmaMap goodMap = mapOf(good, false);
            MemorySegment buffer = arena.allocate(SIZE);
            int faults = 0;
            for (int round = 0; round < 20_000; round++) {
                bad.truncate(round % 2 == 0 ? 0 : SIZE);
                faults += faultsOf(badMap, buffer, round);
                goodMap.write(0x100, buffer, 0, 64);
                goodMap.read(0x100, buffer, 0, 64);
            }
            assertThat(faults).isEqualTo(10_000);
            badMap.unmapAll(badMap);
            goodMap.unmapAll(goodMap);
        }
    }

    /// As above, while another process cuts and restores the file all the time, so that its length tells nothing.
    @Test
    void doesNotReachItWhenTheFileComesAndGoesMeanwhile() throws Exception {
        try (Fd bad = Memfd.create("bad", SIZE, false); Fd good = Memfd.create("good", SIZE, true); Arena arena = Arena.ofShared()) {
            DmaMap badMap = mapOf(bad, false);
            DmaMap goodMap = mapOf(good, false);
            MemorySegment buffer = arena.allocate(SIZE);
            Thread cutter = Thread.ofPlatform().start(() -> cut(bad));
            int faults = 0;
            for (int round = 0; round < 20_000; round++) {
                faults += faultsOf(badMap, buffer, round);
                goodMap.write(0x100, buffer, 0, 64);
                goodMap.read(0x100, buffer, 0, 64);
            }
            cutter.interrupt();
            cutter.join();
            assertThat(faults).isPositive();
            badMap.unmapAll(badMap);
            goodMap.unmapAll(goodMap);
        }
    }

    private static int faultsOf(DmaMap map, MemorySegment buffer, int round) {
        try {
            if ((round & 2) == 0) {
                map.read(0x8000, buffer, 0, 0x1000);
            } else {
                map.write(0x8000, buffer, 0, 0x1000);
            }
            return 0;
        } catch (VfioException e) {
            return 1;
        }
    }

    private static void cut(Fd file) {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                file.truncate(0);
                file.truncate(SIZE);
            }
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
    }
}
