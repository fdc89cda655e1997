// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.user.ServerFixture.fails;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Mapping;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DeviceInfo;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Doorbell;
import vfio.user.wire.IoEventFdLayout;
import vfio.user.wire.VersionCapabilities;
import vfio.user.wire.client.RegionAnswer;
import vfio.user.wire.client.RegionIoFds;
import vfio.user.wire.client.VfioUserClient;

/// This project's client with this project's server.
class ClientTest {
    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void tellsErrorsByTheirNumber() throws VfioException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket)) {
            MemorySegment buffer = Arena.ofAuto().allocate(8);
            fails(() -> client.read(99, 0, buffer, 0, 4), Errno.EINVAL);
            fails(() -> client.regionInfo(99), Errno.EINVAL);
            fails(() -> client.irqInfo(99), Errno.EINVAL);
            fails(() -> client.unmapDma(0, 0), Errno.EINVAL);
            fails(() -> client.map(2, 0, 0x1000), Errno.EINVAL);
            fails(() -> client.write(0, 0, buffer, 0, (1 << 20) + 1), Errno.EINVAL);
            client.reset();
        }
        fixture.pci.refusal = Errno.ENODEV;
        fails(() -> VfioUserClient.connect(fixture.socket), Errno.ENODEV);
        fails(() -> VfioUserClient.connect(fixture.folder.resolve("nobody")), Errno.ENOENT);
    }

    @Test
    void ringsDoorbells() throws VfioException, InterruptedException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket)) {
            TestDevice device = fixture.pci.next();
            device.doorbells.add(new Doorbell(2, 0x40, 4, OptionalLong.of(0x19)));
            try (RegionIoFds none = client.regionIoFds(0)) {
                assertThat(none.subRegions()).isEmpty();
            }
            try (RegionIoFds found = client.regionIoFds(2); EventFd event = found.event(0)) {
                assertThat(found.subRegions()).containsExactly(new IoEventFdLayout.IoEventFd(0x40, 4, 0,
                    IoEventFdLayout.TYPE_IOEVENTFD, IoEventFdLayout.FLAG_DATAMATCH, 0x19));
                event.signal();
                ServerFixture.await("it was written", () -> device.memory(2).get(ValueLayout.JAVA_INT, 0x40) == 0x19);
            }
        }
    }

    @Test
    void noticesThatTheServerHasGone() throws VfioException, InterruptedException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket)) {
            fixture.server.unserve(TestPci.FIRST);
            assertThatThrownBy(client::reset).isInstanceOf(VfioException.class);
        }
    }

    @Test
    void asksWhatTheDeviceIs() throws VfioException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket)) {
            assertThat(client.deviceInfo()).isEqualTo(new DeviceInfo(true, 10, 6));
            try (RegionAnswer bar0 = client.regionInfo(0)) {
                assertThat(bar0.file()).isPresent();
                assertThat(bar0.offset()).isZero();
                assertThat(bar0.info()).isEqualTo(region(false));
            }
            assertThat(client.regionInfo(TestDevice.SPECIFIC).info().capabilities()).containsExactly(RegionCapability.Type.MIGRATION);
            IrqInfo msix = client.irqInfo(2);
            assertThat(msix.count()).isEqualTo(20);
            assertThat(msix.flags()).containsExactlyInAnyOrder(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.NORESIZE);
        }
    }

    @Test
    void learnsWhichAreasAreDisablableIfItAsks() throws VfioException, InterruptedException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket, VersionCapabilities.NONE.withDisablableAreas(true));
             RegionAnswer bar0 = client.regionInfo(0)) {
            assertThat(client.server().disablableAreas()).isTrue();
            assertThat(bar0.info()).isEqualTo(region(true));
            assertThat(fixture.pci.next().client.has(Client.Feature.DISABLABLE_AREAS)).isTrue();
        }
    }

    @Test
    void readsWritesPostsAndMaps() throws VfioException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket); Mapping mapping = client.map(0, 0x8000, 0x2000)) {
            MemorySegment buffer = Arena.ofAuto().allocate(64);
            buffer.set(ValueLayout.JAVA_LONG, 0, 0x1122334455667788L);
            client.write(0, 0x8010, buffer, 0, 8);
            assertThat(mapping.memory().get(ValueLayout.JAVA_LONG, 0x10)).isEqualTo(0x1122334455667788L);
            mapping.memory().set(ValueLayout.JAVA_INT, 0x10, 5);
            buffer.set(ValueLayout.JAVA_INT, 0, 6);
            client.post(0, 0x8014, buffer, 0, 4);
            client.read(0, 0x8010, buffer, 32, 8);
            assertThat(buffer.get(ValueLayout.JAVA_LONG, 32)).isEqualTo(6L << 32 | 5);
        }
    }

    @Test
    void mapsMemoryAndTakesInterrupts() throws VfioException, InterruptedException {
        try (VfioUserClient client = VfioUserClient.connect(fixture.socket); Fd ram = Memfd.create("ram", 0x100000, true);
             EventFd event = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            client.mapDma(0, 0x80000, true, true, ram, 0x1000);
            client.mapDma(0x80000, 0x1000, true, false);
            assertThat(device.mappings).containsOnlyKeys(0L, 0x80000L);
            client.unmapDma(0x80000, 0x1000);
            client.unmapAllDma();
            assertThat(device.mappings).isEmpty();
            client.setIrqEvents(2, 0, 1, List.of());
            client.setIrqEvents(2, 1, 1, List.of(event.fd()));
            client.fireIrq(2, 1, 1);
            assertThat(event.read()).isEqualTo(1);
            client.maskIrq(0, 0, 1);
            client.unmaskIrq(0, 0, 1);
            client.disableIrq(2);
            assertThat(device.calls).endsWith("mask index=0 start=0 count=1", "unmask index=0 start=0 count=1", "disable index=2");
        }
    }

    private static RegionInfo region(boolean disablable) {
        return new RegionInfo(0, TestDevice.BAR0_SIZE, Set.of(RegionInfo.Flag.values()), List.of(
            new RegionCapability.SparseMmap(List.of(new MmapArea(0x1000, 0x1000, false), new MmapArea(0x8000, 0x2000, disablable)))));
    }
}
