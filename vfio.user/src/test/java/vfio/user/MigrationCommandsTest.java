// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.VfioException;

/// DEVICE_FEATURE, MIG_DATA_READ and MIG_DATA_WRITE of a device that can be moved. Numbers are those of libvfio-user's
/// `include/vfio-user.h` and Linux's `linux/vfio.h`.
class MigrationCommandsTest {
    private static final int MIG_DATA_READ = 17;
    private static final int MIG_DATA_WRITE = 18;
    private static final int GET = 1 << 16;
    private static final int SET = 1 << 17;
    private static final int PROBE = 1 << 18;
    private static final int MIGRATION = 1;
    private static final int DEVICE_STATE = 2;
    private static final int LOGGING_START = 6;
    private static final int LOGGING_STOP = 7;
    private static final int LOGGING_REPORT = 8;
    private static final int DATA_SIZE = 9;
    private static final int PRECOPY_INFO = 0xF001;
    private static final int STOP_COPY = 3;
    private static final int RESUMING = 4;
    private static final int PRE_COPY = 6;
    private static final int EINVAL = 22;
    private static final int ENOTTY = 25;
    private static final int ENOMSG = 42;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();
    private final TestMigration migration = new TestMigration();
    private RawClient client;
    private TestDevice device;

    @BeforeEach
    void attach() throws VfioException, InterruptedException {
        client = fixture.ready();
        device = fixture.pci.next();
        device.migration = migration;
    }

    @AfterEach
    void leave() {
        client.close();
    }

    private RawClient.Answer feature(int flags, Bytes own, int room) throws VfioException {
        byte[] bytes = own.array();
        return client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(8 + Math.max(room, bytes.length), flags).raw(bytes));
    }

    private void state(int state) throws VfioException {
        assertThat(feature(SET | DEVICE_STATE, Bytes.of().u32(state, 0), 8).errno()).isZero();
    }

    @Test
    void rejectsWhatIsMalformedOrUnknown() throws VfioException {
        assertThat(feature(GET | 3, Bytes.of(), 8).errno()).isEqualTo(ENOTTY);
        assertThat(feature(GET | MIGRATION, Bytes.of(), 7).errno()).as("no room").isEqualTo(EINVAL);
        assertThat(feature(SET | MIGRATION, Bytes.of().u64(0), 8).errno()).as("cannot be set").isEqualTo(EINVAL);
        assertThat(feature(PROBE | SET | MIGRATION, Bytes.of(), 0).errno()).as("cannot be set").isEqualTo(EINVAL);
        assertThat(feature(SET | DEVICE_STATE, Bytes.of().u32(1), 8).errno()).as("short").isEqualTo(EINVAL);
        assertThat(feature(SET | DEVICE_STATE, Bytes.of().u32(1, 0, 0), 8).errno()).as("long").isEqualTo(EINVAL);
        assertThat(feature(SET | DEVICE_STATE, Bytes.of().u32(8, 0), 8).errno()).as("no such state").isEqualTo(EINVAL);
        assertThat(feature(SET | DEVICE_STATE, Bytes.of().u32(0, 0), 8).errno()).as("ERROR").isEqualTo(EINVAL);
        assertThat(client.call(RawClient.DEVICE_FEATURE, Bytes.of().u32(8, SET | DEVICE_STATE).u32(1, 0)).errno()).as("argsz")
            .isEqualTo(EINVAL);
    }

    @Test
    void rejectsLoggingThatIsMalformed() throws VfioException {
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000), 8).errno()).as("short").isEqualTo(EINVAL);
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000).u32(0, 0), 8).errno()).as("no ranges").isEqualTo(EINVAL);
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000).u32(2, 0).u64(0, 0x1000), 8).errno()).isEqualTo(EINVAL);
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000).u32(0x10000001L, 0).u64(0, 0x1000), 8).errno()).isEqualTo(EINVAL);
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000).u32(1, 0).u64(0, 0), 8).errno()).as("empty").isEqualTo(EINVAL);
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000).u32(1, 0).u64(-0x1000, 0x2000), 8).errno()).as("wraps")
            .isEqualTo(EINVAL);
        assertThat(feature(GET | LOGGING_REPORT, Bytes.of().u64(0, 0x1000), 64).errno()).as("short").isEqualTo(EINVAL);
        assertThat(feature(GET | LOGGING_REPORT, Bytes.of().u64(0, 0x1000, 0x1000), 31).errno()).as("no room").isEqualTo(EINVAL);
        assertThat(feature(GET | LOGGING_REPORT, Bytes.of().u64(0, 0x1000, 0), 64).errno()).as("page size").isEqualTo(EINVAL);
        assertThat(feature(GET | LOGGING_REPORT, Bytes.of().u64(0, -0x1000, 0x1000), 64).errno()).as("huge").isEqualTo(EINVAL);
        assertThat(migration.calls).isEmpty();
    }

    @Test
    void rejectsDataThatIsMalformed() throws VfioException {
        state(STOP_COPY);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(8)).errno()).as("short").isEqualTo(EINVAL);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(8, 0)).errno()).as("nothing asked").isEqualTo(EINVAL);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(11, 4)).errno()).as("no room").isEqualTo(EINVAL);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(0xFFFFFFFFL, 0x200000)).errno()).as("too much").isEqualTo(EINVAL);
        assertThat(client.call(MIG_DATA_WRITE, Bytes.of().u32(12, 4).u8(1, 2, 3)).errno()).as("short").isEqualTo(EINVAL);
        assertThat(client.call(MIG_DATA_WRITE, Bytes.of().u32(12, 4).u8(1, 2, 3, 4, 5)).errno()).as("long").isEqualTo(EINVAL);
        assertThat(migration.calls).isEmpty();
    }

    @Test
    void tellsWhatTheDeviceCanDo() throws VfioException {
        assertThat(feature(PROBE | MIGRATION, Bytes.of(), 0).errno()).isZero();
        assertThat(feature(PROBE | GET | SET | DEVICE_STATE, Bytes.of(), 0).errno()).isZero();
        assertThat(feature(GET | MIGRATION, Bytes.of(), 8).payload()).isEqualTo(Bytes.of().u32(16, GET | MIGRATION).u64(5).array());
        assertThat(feature(GET | DATA_SIZE, Bytes.of(), 8).payload())
            .isEqualTo(Bytes.of().u32(16, GET | DATA_SIZE).u64(TestMigration.LENGTH).array());
        assertThat(feature(GET | PRECOPY_INFO, Bytes.of(), 16).payload())
            .isEqualTo(Bytes.of().u32(24, GET | PRECOPY_INFO).u64(0x11, 0x22).array());
    }

    @Test
    void changesTheStateAndTellsIt() throws VfioException {
        assertThat(feature(GET | DEVICE_STATE, Bytes.of(), 8).payload())
            .isEqualTo(Bytes.of().u32(16, GET | DEVICE_STATE).u32(2, 0xFFFFFFFFL).array());
        assertThat(feature(SET | DEVICE_STATE, Bytes.of().u32(RESUMING, 7), 8).payload())
            .isEqualTo(Bytes.of().u32(16, SET | DEVICE_STATE).u32(RESUMING, 7).array());
        assertThat(feature(GET | DEVICE_STATE, Bytes.of(), 8).payload())
            .isEqualTo(Bytes.of().u32(16, GET | DEVICE_STATE).u32(RESUMING, 0xFFFFFFFFL).array());
    }

    @Test
    void readsDataToItsEnd() throws VfioException {
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(16, 8)).errno()).as("it runs").isEqualTo(EINVAL);
        state(PRE_COPY);
        byte[] first = client.call(MIG_DATA_READ, Bytes.of().u32(8 + 0x1000, 0x1000)).payload();
        assertThat(Arrays.copyOf(first, 12)).isEqualTo(Bytes.of().u32(8 + 0x1000, 0x1000).u8(0, 1, 2, 3).array());
        assertThat(first).hasSize(8 + 0x1000);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(8 + 0x1000, 0x1000)).payload()).hasSize(8 + 0x234);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(16, 8)).errno()).isEqualTo(ENOMSG);
        state(STOP_COPY);
        assertThat(client.call(MIG_DATA_READ, Bytes.of().u32(16, 8)).payload()).isEqualTo(Bytes.of().u32(8, 0).array());
    }

    @Test
    void writesData() throws VfioException {
        state(RESUMING);
        RawClient.Answer answer = client.call(MIG_DATA_WRITE, Bytes.of().u32(12, 4).u8(0x42, 2, 3, 4));
        assertThat(answer.errno()).isZero();
        assertThat(answer.payload()).isEmpty();
        assertThat(migration.calls).containsExactly("write 0x4 first 0x42");
    }

    @Test
    void rejectsABitmapInAnUnmapThatDoesNotFit() throws VfioException {
        map();
        assertThat(unmap(40 + 8, 0x1000, 16).errno()).as("size").isEqualTo(EINVAL);
        assertThat(unmap(40 + 8, 0x1001, 8).errno()).as("page size").isEqualTo(EINVAL);
        assertThat(unmap(40 + 7, 0x1000, 8).errno()).as("argsz").isEqualTo(EINVAL);
        assertThat(client.call(RawClient.DMA_UNMAP, Bytes.of().u32(48, 1).u64(0x4000, 0x4000)).errno()).as("no bitmap").isEqualTo(EINVAL);
        assertThat(migration.calls).isEmpty();
        assertThat(unmap(40 + 8, 0x1000, 8).errno()).as("it is mapped still").isZero();
    }

    @Test
    void tellsDirtyPagesInAnUnmap() throws VfioException {
        map();
        RawClient.Answer answer = unmap(40 + 8, 0x1000, 8);
        assertThat(answer.errno()).isZero();
        assertThat(answer.payload()).isEqualTo(Bytes.of().u32(48, 1).u64(0x4000, 0x4000).u64(0x1000, 8).u64(0b1001).array());
        assertThat(migration.calls).containsExactly("report 0x4000 0x4000 0x1000");
        assertThat(device.mappings).isEmpty();
    }

    private void map() throws VfioException {
        assertThat(client.call(RawClient.DMA_MAP, Bytes.of().u32(32, 3).u64(0, 0x4000, 0x4000)).errno()).isZero();
    }

    private RawClient.Answer unmap(long argsz, long pageSize, long size) throws VfioException {
        return client.call(RawClient.DMA_UNMAP, Bytes.of().u32(argsz, 1).u64(0x4000, 0x4000).u64(pageSize, size));
    }

    @Test
    void logsDirtyPages() throws VfioException {
        assertThat(feature(SET | LOGGING_START, Bytes.of().u64(0x1000).u32(2, 0).u64(0, 0x1000, 0x4000, 0x2000), 8).errno()).isZero();
        byte[] report = feature(GET | LOGGING_REPORT, Bytes.of().u64(0x4000, 65 * 0x1000, 0x1000), 24 + 16).payload();
        assertThat(report).isEqualTo(Bytes.of().u32(8 + 24 + 16, GET | LOGGING_REPORT).u64(0x4000, 65 * 0x1000, 0x1000)
            .u64(0x9249249249249249L, 0).array());
        assertThat(feature(SET | LOGGING_STOP, Bytes.of(), 0).errno()).isZero();
        assertThat(migration.calls).containsExactly(
            "start 0x1000 [IovaRange[iova=0, length=4096], IovaRange[iova=16384, length=8192]]", "report 0x4000 0x41000 0x1000", "stop");
    }
}
