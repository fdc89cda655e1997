// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.migration.IovaRange;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationFlag;
import vfio.pci.api.migration.MigrationState;

/// A migration that writes down what is asked of it, gives bytes that count up, and says that every third page is dirty.
final class TestMigration implements Migration {
    static final int LENGTH = 0x1234;

    final List<String> calls = new ArrayList<>();
    private MigrationState state = MigrationState.RUNNING;
    private int given;

    @Override
    public Set<MigrationFlag> flags() {
        return EnumSet.of(MigrationFlag.STOP_COPY, MigrationFlag.PRE_COPY);
    }

    @Override
    public MigrationState state() {
        return state;
    }

    @Override
    public void state(MigrationState to) throws VfioException {
        if (to == MigrationState.ERROR) {
            throw new VfioException(Errno.EINVAL, "device_state=0 expected=another");
        }
        state = to;
    }

    @Override
    public int read(MemorySegment buffer, long offset, int count) throws VfioException {
        if (!state.saving()) {
            throw new VfioException(Errno.EINVAL, "device_state=%s expected=saving".formatted(state));
        }
        int some = Math.min(count, LENGTH - given);
        if (some == 0 && state != MigrationState.STOP_COPY) {
            throw new VfioException(Errno.ENOMSG, "device_state=%s nothing new".formatted(state));
        }
        for (int i = 0; i < some; i++) {
            buffer.set(ValueLayout.JAVA_BYTE, offset + i, (byte) given++);
        }
        return some;
    }

    @Override
    public void write(MemorySegment buffer, long offset, int count) {
        calls.add("write 0x%x first 0x%x".formatted(count, buffer.get(ValueLayout.JAVA_BYTE, offset)));
    }

    @Override
    public long stopCopyLength() {
        return LENGTH;
    }

    @Override
    public PreCopy preCopyInfo() {
        return new PreCopy(0x11, 0x22);
    }

    @Override
    public void startLogging(long pageSize, List<IovaRange> ranges) {
        calls.add("start 0x%x %s".formatted(pageSize, ranges));
    }

    @Override
    public void stopLogging() {
        calls.add("stop");
    }

    @Override
    public void reportDirty(long iova, long length, long pageSize, MemorySegment bitmap, long offset) {
        calls.add("report 0x%x 0x%x 0x%x".formatted(iova, length, pageSize));
        for (long page = 0; page < length / pageSize; page += 3) {
            long at = offset + page / 8;
            bitmap.set(ValueLayout.JAVA_BYTE, at, (byte) (bitmap.get(ValueLayout.JAVA_BYTE, at) | 1 << page % 8));
        }
    }
}
