// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.user.wire.client.ScriptedSession.throwsErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;

/// Payloads of a device's migration, written down by hand from QEMU's `docs/interop/vfio-user.rst` and Linux's `linux/vfio.h`, on a
/// little-endian machine.
@Timeout(60)
class ClientMigrationTest {
    private static final int FEATURE = 16;
    private static final int DATA_READ = 17;
    private static final int DATA_WRITE = 18;

    private final MemorySegment buffer = Arena.ofAuto().allocate(0x20);

    @Test
    void rejectsAnswersThatMakeNoSense() throws Exception {
        ScriptedSession.run(peer -> {
            peer.answer(FEATURE, "10000000 01000100", "0c000000 01000100 05000000");
            peer.answer(FEATURE, "10000000 01000100", "18000000 01000100 0500000000000000 0000000000000000");
            peer.answer(FEATURE, "10000000 02000100", "10000000 02000100 08000000 ffffffff");
            peer.answer(DATA_READ, "0c000000 04000000", "0d000000 05000000 0102030405");
            peer.answer(DATA_READ, "0c000000 04000000", "0c000000 04000000 010203");
        }, client -> {
            ClientMigration migration = client.migration();
            throwsErrno(Errno.EPROTO, migration::flags);
            throwsErrno(Errno.EPROTO, migration::flags);
            throwsErrno(Errno.EPROTO, migration::state);
            throwsErrno(Errno.EPROTO, () -> migration.read(buffer, 0, 4));
            throwsErrno(Errno.EPROTO, () -> migration.read(buffer, 0, 4));
            throwsErrno(Errno.EINVAL, () -> migration.read(buffer, 0, -1));
            throwsErrno(Errno.EINVAL, () -> migration.write(buffer, 0, Integer.MAX_VALUE));
            assertThat(buffer.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        });
    }

    @Test
    void saysWhetherADeviceCanBeMoved() throws Exception {
        ScriptedSession.run(peer -> {
            peer.refuse(FEATURE, "08000000 01000500", Errno.ENOTTY);
            peer.answer(FEATURE, "08000000 01000500", "08000000 01000500");
            peer.refuse(FEATURE, "08000000 01000500", Errno.EIO);
        }, client -> {
            assertThat(client.migration().available()).isFalse();
            assertThat(client.migration().available()).isTrue();
            throwsErrno(Errno.EIO, client.migration()::available);
        });
    }

    @Test
    void asksWhatTheDeviceCanDo() throws Exception {
        ScriptedSession.run(peer -> {
            peer.answer(FEATURE, "10000000 01000100", "10000000 01000100 0d00000000000080");
            peer.answer(FEATURE, "10000000 09000100", "10000000 09000100 8877665544332211");
            peer.answer(FEATURE, "18000000 01f00100", "18000000 01f00100 0100000000000000 0200000000000000");
            peer.refuse(FEATURE, "18000000 01f00100", Errno.EINVAL);
        }, client -> {
            assertThat(client.migration().flags()).containsExactly(MigrationFlag.STOP_COPY, MigrationFlag.PRE_COPY);
            assertThat(client.migration().stopCopyLength()).isEqualTo(0x1122334455667788L);
            assertThat(client.migration().preCopyInfo()).isEqualTo(new Migration.PreCopy(1, 2));
            throwsErrno(Errno.EINVAL, client.migration()::preCopyInfo);
        });
    }

    @Test
    void getsAndSetsTheState() throws Exception {
        ScriptedSession.run(peer -> {
            peer.answer(FEATURE, "10000000 02000100", "10000000 02000100 06000000 ffffffff");
            peer.answer(FEATURE, "10000000 02000200 03000000 ffffffff", "10000000 02000200 03000000 ffffffff");
            peer.refuse(FEATURE, "10000000 02000200 06000000 ffffffff", Errno.EINVAL);
        }, client -> {
            assertThat(client.migration().state()).isEqualTo(MigrationState.PRE_COPY);
            client.migration().state(MigrationState.STOP_COPY);
            throwsErrno(Errno.EINVAL, () -> client.migration().state(MigrationState.PRE_COPY));
        });
    }

    @Test
    void readsDataToItsEnd() throws Exception {
        ScriptedSession.run(peer -> {
            peer.refuse(DATA_READ, "18000000 10000000", Errno.ENOMSG);
            peer.answer(DATA_READ, "18000000 10000000", "0b000000 03000000 070809");
            peer.answer(DATA_READ, "18000000 10000000", "08000000 00000000");
        }, client -> {
            throwsErrno(Errno.ENOMSG, () -> client.migration().read(buffer, 0, 16));
            assertThat(client.migration().read(buffer, 5, 16)).isEqualTo(3);
            assertThat(client.migration().read(buffer, 0, 16)).isZero();
            assertThat(buffer.asSlice(4, 5).toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 7, 8, 9, 0);
        });
    }

    @Test
    void writesData() throws Exception {
        buffer.set(ValueLayout.JAVA_BYTE, 1, (byte) 7);
        buffer.set(ValueLayout.JAVA_BYTE, 2, (byte) 8);
        ScriptedSession.run(peer -> {
            peer.answer(DATA_WRITE, "0b000000 03000000 070800", "");
            peer.refuse(DATA_WRITE, "09000000 01000000 07", Errno.ENOSPC);
        }, client -> {
            client.migration().write(buffer, 1, 3);
            throwsErrno(Errno.ENOSPC, () -> client.migration().write(buffer, 1, 1));
        });
    }
}
