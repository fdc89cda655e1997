// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.client.VfioUserClient;

/// This project's client moves a device of this project's server, and logs its writes. The bytes are those of [MigrationCommandsTest].
class ClientMigrationTest {
    private static final int PAGE = 0x1000;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();
    private final TestMigration migration = new TestMigration();
    private VfioUserClient client;
    private TestDevice device;

    @BeforeEach
    void attach() throws VfioException, InterruptedException {
        client = VfioUserClient.connect(fixture.socket);
        device = fixture.pci.next();
    }

    @AfterEach
    void leave() {
        client.close();
    }

    @Test
    void seesThatADeviceCannotBeMoved() throws VfioException {
        assertThat(client.migration().available()).isFalse();
        assertThat(client.dmaLogging().available()).isFalse();
        assertThatThrownBy(client.migration()::flags).isInstanceOfSatisfying(VfioException.class,
            e -> assertThat(e.errno()).isEqualTo(Errno.ENOTTY));
    }

    @Test
    void movesADevice() throws VfioException {
        device.migration = migration;
        assertThat(client.migration().available()).isTrue();
        assertThat(client.migration().flags()).containsExactly(MigrationFlag.STOP_COPY, MigrationFlag.PRE_COPY);
        assertThat(client.migration().stopCopyLength()).isEqualTo(TestMigration.LENGTH);
        assertThat(client.migration().preCopyInfo()).isEqualTo(new Migration.PreCopy(0x11, 0x22));
        MemorySegment buffer = Arena.ofAuto().allocate(0x2000);
        client.migration().state(MigrationState.STOP_COPY);
        assertThat(client.migration().state()).isEqualTo(MigrationState.STOP_COPY);
        assertThat(client.migration().read(buffer, 0, PAGE)).isEqualTo(PAGE);
        assertThat(client.migration().read(buffer, PAGE, PAGE)).isEqualTo(TestMigration.LENGTH - PAGE);
        assertThat(client.migration().read(buffer, 0, PAGE)).isZero();
        assertThat(buffer.get(ValueLayout.JAVA_BYTE, TestMigration.LENGTH - 1)).isEqualTo((byte) 0x33);
        client.migration().state(MigrationState.RESUMING);
        client.migration().write(buffer, 0x42, 0x1000);
        assertThat(migration.calls).containsExactly("write 0x1000 first 0x42");
    }

    @Test
    void logsItsWrites() throws VfioException {
        device.migration = migration;
        assertThat(client.dmaLogging().available()).isTrue();
        client.mapDma(0x4000, 4 * PAGE, true, true);
        IovaRange range = new IovaRange(0x4000, 4 * PAGE);
        assertThat(client.dmaLogging().start(PAGE, List.of(range))).isEqualTo(PAGE);
        assertThat(client.dmaLogging().report(range, PAGE).addresses()).containsExactly(0x4000L, 0x7000L);
        assertThat(client.dmaLogging().unmap(range, PAGE).addresses()).containsExactly(0x4000L, 0x7000L);
        assertThat(device.mappings).isEmpty();
        client.dmaLogging().stop();
        assertThat(migration.calls).containsExactly("start 0x1000 [IovaRange[iova=16384, length=16384]]",
            "report 0x4000 0x4000 0x1000", "report 0x4000 0x4000 0x1000", "stop");
    }
}
