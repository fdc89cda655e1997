// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;

/// DMA_MAP and DMA_UNMAP.
class DmaTest {
    private static final int EEXIST = 17;
    private static final int EINVAL = 22;
    private static final int EOPNOTSUPP = 95;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void rejectsMapsThatMakeNoSense() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", 0x10000, false)) {
            TestDevice device = fixture.pci.next();
            int before = ServerFixture.descriptors().size();
            // argsz, flags, offset, address, size
            long[][] bad = {{31, 3, 0, 0, 0x1000}, {32, 0, 0, 0, 0x1000}, {32, 0x13, 0, 0, 0x1000}, {32, 0x80000003L, 0, 0, 0x1000},
                {32, 3, 0, 0, 0}, {32, 3, 0, 0, -1}, {32, 3, 0, 0, Long.MIN_VALUE}, {32, 3, 0, -0x1000, 0x1001},
                {32, 3, 0, -1, 0x1000}, {32, 3, 1, 0, 0x1000}, {32, 3, -0x1000, 0, 0x1000}, {32, 3, Long.MAX_VALUE - 0xFFF, 0, 0x1000}};
            for (long[] map : bad) {
                RawClient.Answer answer = client.call(RawClient.DMA_MAP, Bytes.of().u32(map[0], map[1]).u64(map[2], map[3], map[4]), file);
                assertThat(answer.errno()).as(Arrays.toString(map)).isEqualTo(EINVAL);
            }
            assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, 0), file).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x1000).u8(0), file).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x1000), file, file).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_MAP, map(7, 0, 0, 0x1000)).errno()).as("MMAP without a file").isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_MAP, map(11, 0, 0, 0x1000)).errno()).as("FILE_IO without a file").isEqualTo(EINVAL);
            assertThat(device.mappings).isEmpty();
            ServerFixture.await("the descriptors are closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void tellsThatAnAddressIsMappedAlready() throws VfioException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", 0x10000, false)) {
            assertThat(client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x1000), file).errno()).isZero();
            int before = ServerFixture.descriptors().size();
            assertThat(client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x1000), file).errno()).isEqualTo(EEXIST);
            ServerFixture.await("the descriptor is closed", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void handsFilesToTheDevice() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", 0x10000, false)) {
            RawClient.Answer answer = client.call(RawClient.DMA_MAP, map(1, 0x4000, -0x8000, 0x8000), file);
            assertThat(answer.errno()).isZero();
            assertThat(answer.size()).isEqualTo(16);
            DmaMapping mapping = fixture.pci.next().mappings.get(-0x8000L);
            assertThat(mapping.size()).isEqualTo(0x8000);
            assertThat(mapping.readable()).isTrue();
            assertThat(mapping.writable()).isFalse();
            assertThat(mapping.backing()).isInstanceOfSatisfying(DmaBacking.File.class, backing -> {
                assertThat(backing.offset()).isEqualTo(0x4000);
                assertThat(((Fd) backing.fd()).number()).isNotEqualTo(file.number());
            });
        }
    }

    @Test
    void hasFilesReadAndWrittenWhereTheClientAsksForIt() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", 0x10000, false)) {
            assertThat(client.call(RawClient.DMA_MAP, map(11, 0x1000, 0, 0x1000), file).errno()).isZero();
            assertThat(fixture.pci.next().mappings.get(0L).backing()).isInstanceOf(DmaBacking.FileIo.class);
        }
    }

    @Test
    void recordsMemoryWithoutAFile() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.DMA_MAP, map(2, 0, 0xC0000, 0x20000)).errno()).isZero();
            assertThat(fixture.pci.next().mappings.get(0xC0000L).backing()).isInstanceOf(DmaBacking.Remote.class);
        }
    }

    @Test
    void givesEachPipelinedMessageItsOwnFile() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            for (int i = 0; i < 50; i++) {
                Bytes message = RawClient.message(i, RawClient.DMA_MAP, 0, map(3, 0, i * 0x10000L, 0x1000).array());
                if (i % 3 == 0) {
                    client.send(message.array());
                } else {
                    try (Fd file = Memfd.create("ram", 0x1000L * (i + 1), false)) {
                        client.send(message.array(), file);
                    }
                }
            }
            for (int i = 0; i < 50; i++) {
                RawClient.Answer answer = client.receive();
                assertThat(answer.id()).isEqualTo(i);
                assertThat(answer.errno()).isZero();
                DmaBacking backing = device.mappings.get(i * 0x10000L).backing();
                if (i % 3 == 0) {
                    assertThat(backing).isInstanceOf(DmaBacking.Remote.class);
                } else {
                    assertThat(((Fd) ((DmaBacking.File) backing).fd()).size()).isEqualTo(0x1000L * (i + 1));
                }
            }
        }
    }

    @Test
    void rejectsUnmapsThatMakeNoSense() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x2000));
            // argsz, flags, address, size
            long[][] bad = {{23, 0, 0, 0x2000}, {24, 4, 0, 0x2000}, {24, 3, 0, 0}, {24, 2, 0, 0x2000}, {24, 2, 0x1000, 0}, {24, 0, 0, 0}};
            for (long[] unmap : bad) {
                assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(unmap[0], unmap[1]).u64(unmap[2], unmap[3])).errno())
                    .as(Arrays.toString(unmap)).isEqualTo(EINVAL);
            }
            assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(24, 0).u64(0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(24, 0).u64(0, 0x2000).u8(0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(64, 1).u64(0, 0x2000, 0x1000, 8)).errno()).isEqualTo(EOPNOTSUPP);
            assertThat(client.call(RawClient.DMA_UNMAP, unmap(0, 0x1000, 0x1000)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.DMA_UNMAP, unmap(0, 0, 0x1000)).errno()).isEqualTo(EINVAL);
            assertThat(fixture.pci.next().mappings).hasSize(1);
        }
    }

    @Test
    void unmapsExactlyOne() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", 0x10000, false)) {
            int before = ServerFixture.descriptors().size();
            client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x2000), file);
            client.call(RawClient.DMA_MAP, map(3, 0, 0x2000, 0x2000), file);
            assertThat(client.call(RawClient.DMA_UNMAP, unmap(0, 0x2000, 0x2000)).payload()).isEqualTo(unmap(0, 0x2000, 0x2000).array());
            assertThat(client.call(RawClient.DMA_UNMAP, unmap(0, 0x2000, 0x2000)).errno()).as("nothing is there").isZero();
            assertThat(fixture.pci.next().mappings).containsOnlyKeys(0L);
            assertThat(ServerFixture.descriptors()).hasSize(before + 1);
        }
    }

    @Test
    void unmapsAll() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            client.call(RawClient.DMA_MAP, map(3, 0, 0, 0x2000));
            client.call(RawClient.DMA_MAP, map(3, 0, 0x2000, 0x2000));
            assertThat(client.call(RawClient.DMA_UNMAP, unmap(2, 0, 0)).payload()).isEqualTo(unmap(2, 0, 0).array());
            assertThat(fixture.pci.next().mappings).isEmpty();
        }
    }

    @Test
    void forgetsAllMapsOfAClientThatLeaves() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); Fd file = Memfd.create("ram", 0x10000, false)) {
            for (int i = 0; i < 20; i++) {
                client.call(RawClient.DMA_MAP, map(3, 0, i * 0x1000L, 0x1000), file);
            }
        }
        TestDevice device = fixture.pci.next();
        ServerFixture.await("the device is closed", () -> device.closed);
        assertThat(device.mappings).isEmpty();
    }

    private static Bytes map(int flags, long offset, long address, long size) {
        return Bytes.of().u32(32, flags).u64(offset, address, size);
    }

    private static Bytes unmap(int flags, long address, long size) {
        return Bytes.of().u32(24, flags).u64(address, size);
    }
}
