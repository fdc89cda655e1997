// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.user.ServerFixture.fails;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.user.command.ClientLimits;

/// What a client may have by configuration, and that VERSION says so.
class ClientLimitsTest {
    private static final int EPERM = 1;
    private static final int ENOMEM = 12;
    private static final int EINVAL = 22;
    private static final int ENOSPC = 28;
    private static final String QEMU = "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535,"
        + " \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096},"
        + " \"write_multiple\": true}}";

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture(Limits.with(limits -> {
        limits.msgFds = 8;
        limits.dataBytes = 4096;
        limits.dmaMaps = 2;
        limits.dmaBytes = 0x30000;
        limits.unsealed = ClientLimits.UnsealedFiles.REFUSE;
    }));

    @Test
    void rejectsPageSizesAndTransfersThatCannotBe() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(version(client, "{\"capabilities\":{\"pgsizes\":512}}").errno()).isEqualTo(EINVAL);
            assertThat(version(client, "{\"capabilities\":{\"max_data_xfer_size\":0}}").errno()).isEqualTo(EINVAL);
        }
    }

    @Test
    void saysWhatIsLessThanTheDefaultToEverybody() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(textOf(version(client, "{}"))).isEqualTo("{\"capabilities\":{\"max_data_xfer_size\":4096,\"max_dma_maps\":2}}");
        }
    }

    @Test
    void saysAllOfItToQemuInTheRoomItHas() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            RawClient.Answer answer = version(client, QEMU);
            assertThat(textOf(answer)).isEqualTo("{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":4096,\"max_dma_maps\":2,"
                + "\"write_multiple\":true}}");
            assertThat(answer.size()).isLessThanOrEqualTo(214);
        }
    }

    @Test
    void saysHowManyMappingsTheDeviceHasIfThatIsLess() throws VfioException {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.setRules(Limits.with(limits -> {
            limits.msgFds = 8;
            limits.dataBytes = 4096;
        }), SocketRules.standard());
        fixture.server.serve(TestPci.SECOND, second);
        fixture.pci.mostMaps = 8192;
        try (RawClient client = RawClient.connect(second)) {
            RawClient.Answer answer = version(client, QEMU);
            assertThat(textOf(answer)).isEqualTo("{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":4096,\"max_dma_maps\":8192,"
                + "\"write_multiple\":true}}");
            assertThat(answer.size()).isLessThanOrEqualTo(214);
        }
        fixture.pci.mostMaps = 1 << 20;
        try (RawClient client = RawClient.connect(second)) {
            assertThat(textOf(version(client, QEMU))).doesNotContain("max_dma_maps");
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void agreesOnPageSizesBothCanMap() throws VfioException {
        try (RawClient client = RawClient.connect(fixture.socket)) {
            assertThat(textOf(version(client, "{\"capabilities\":{\"pgsizes\":%d}}".formatted(0x210200)))).contains("\"pgsizes\":2162688");
        }
    }

    @Test
    void answersNoMoreDataThanWasSaid() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4097)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_WRITE, RawClient.access(0, 2, 4097).raw(new byte[4097])).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.REGION_READ, RawClient.access(0, 2, 4096)).payload()).hasSize(4112);
        }
    }

    @Test
    void countsMapsAndTheirBytes() throws VfioException {
        try (RawClient client = fixture.ready()) {
            assertThat(map(client, 0, 0x40000)).isEqualTo(ENOMEM);
            assertThat(map(client, 0, 0x20000)).isZero();
            assertThat(map(client, 0x100000, 0x20000)).isEqualTo(ENOMEM);
            assertThat(map(client, 0x100000, 0x10000)).isZero();
            assertThat(map(client, 0x200000, 0x1000)).isEqualTo(ENOSPC);
            assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(24, 0).u64(0, 0x20000)).errno()).isZero();
            assertThat(map(client, 0x200000, 0x20000)).isZero();
            assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(24, 2).u64(0, 0)).errno()).isZero();
            assertThat(map(client, 0, 0x30000)).isZero();
        }
    }

    @Test
    void refusesFilesThatCanBeCutShort() throws VfioException {
        try (RawClient client = fixture.ready(); var unsealed = Memfd.create("ram", 0x10000, false);
                var sealed = Memfd.create("ram", 0x10000, true)) {
            Bytes map = Bytes.of().u32(32, 3).u64(0, 0, 0x10000);
            assertThat(client.call(RawClient.DMA_MAP, map, unsealed).errno()).isEqualTo(EPERM);
            assertThat(client.call(RawClient.DMA_MAP, map, sealed).errno()).isZero();
        }
    }

    @Test
    void readsAndWritesFilesThatCanBeCutShort() throws Exception {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.setRules(Limits.with(limits -> limits.unsealed = ClientLimits.UnsealedFiles.FILE_IO), SocketRules.standard());
        fixture.server.serve(TestPci.SECOND, second);
        try (RawClient client = RawClient.ready(second); var unsealed = Memfd.create("ram", 0x10000, false);
                var sealed = Memfd.create("ram", 0x10000, true)) {
            TestDevice device = fixture.pci.next();
            assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, 0, 0x10000), unsealed).errno()).isZero();
            assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, 0x10000, 0x10000), sealed).errno()).isZero();
            assertThat(device.mappings.get(0L).backing()).isInstanceOf(DmaBacking.FileIo.class);
            assertThat(device.mappings.get(0x10000L).backing()).isInstanceOf(DmaBacking.File.class);
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    @Test
    void givesTheSocketItsOwner() throws Exception {
        Path second = fixture.folder.resolve("second.sock");
        String own = Files.getOwner(fixture.folder).getName();
        String group = Files.readAttributes(fixture.folder, PosixFileAttributes.class).group().getName();
        // Who may give files away tries that; anybody may keep them.
        String owner = own.equals("root") ? "nobody" : own;
        fixture.server.setRules(ServerFixture.PATIENT, new SocketRules(0600, owner + ":" + group, SocketRules.standard().uids()));
        fixture.server.serve(TestPci.SECOND, second);
        assertThat(Files.getOwner(second).getName()).isEqualTo(owner);
        assertThat(Files.readAttributes(second, PosixFileAttributes.class).group().getName()).isEqualTo(group);
        fixture.server.unserve(TestPci.SECOND);
        for (String nobody : new String[] {"no such user", own + ":no such group"}) {
            fixture.server.setRules(ServerFixture.PATIENT, new SocketRules(0600, nobody, SocketRules.standard().uids()));
            fails(() -> fixture.server.serve(TestPci.SECOND, second), Errno.EINVAL);
            assertThat(second).doesNotExist();
        }
    }

    @Test
    void givesTheSocketItsModeAndTurnsStrangersAway() throws Exception {
        Path second = fixture.folder.resolve("second.sock");
        fixture.server.setRules(ServerFixture.PATIENT, new SocketRules(0660, "", Set.of(0xFFFF_FFF0L)));
        fixture.server.serve(TestPci.SECOND, second);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(second))).isEqualTo("rw-rw----");
        try (RawClient stranger = RawClient.connect(second)) {
            assertThat(stranger.endsOrderly()).isTrue();
        }
        try (RawClient again = RawClient.connect(second)) {
            assertThat(again.endsOrderly()).isTrue();
        }
        fixture.server.unserve(TestPci.SECOND);
    }

    private static int map(RawClient client, long iova, long size) {
        return client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, iova, size)).errno();
    }

    private static RawClient.Answer version(RawClient client, String json) {
        return client.call(RawClient.VERSION, Bytes.of().u16(0, 0).text(json).u8(0));
    }

    private static String textOf(RawClient.Answer answer) {
        byte[] payload = answer.payload();
        return new String(payload, 4, payload.length - 5, StandardCharsets.UTF_8);
    }
}
