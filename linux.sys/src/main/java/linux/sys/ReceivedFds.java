// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/// Descriptors that came over a socket, until somebody takes them: made once and used for every receive. It owns what was not taken.
/// Belongs to the thread that reads the socket.
public final class ReceivedFds {
    /// How many it holds; who sends more loses them all.
    public static final int CAPACITY = 64;

    private static final int TAKEN = -1;

    private final int[] numbers = new int[CAPACITY];
    private int count;
    private boolean truncated;

    /// An empty one.
    public ReceivedFds() {
        Arrays.fill(numbers, TAKEN);
    }

    /// How many were received since the last [#clear()] or [#closeAll()], taken or not.
    public int count() {
        return count;
    }

    /// Whether a receive since the last [#clear()] brought more than there was room for, here or in this process. All
    /// descriptors of *that* receive are closed by then, since nobody could say which are missing.
    public boolean truncated() {
        return truncated;
    }

    /// The number of a descriptor, which stays in here.
    ///
    /// @throws IndexOutOfBoundsException when there are fewer
    /// @throws IllegalStateException when it was taken
    public int number(int index) {
        int number = numbers[Objects.checkIndex(index, count)];
        if (number == TAKEN) {
            throw new IllegalStateException("descriptor was taken: index=" + index);
        }
        return number;
    }

    /// Hands a descriptor over to the caller, who closes it.
    ///
    /// @throws IndexOutOfBoundsException when there are fewer
    /// @throws IllegalStateException when it was taken
    public Fd take(int index) {
        Fd fd = Fd.own(number(index));
        numbers[index] = TAKEN;
        return fd;
    }

    /// Closes what was not taken and empties the holder. Hot.
    public void closeAll() {
        for (int i = 0; i < count; i++) {
            if (numbers[i] != TAKEN) {
                Libc.call(Libc.CLOSE, numbers[i], 0);
                numbers[i] = TAKEN;
            }
        }
        count = 0;
    }

    /// As [#closeAll()], and forgets that anything was truncated. Hot.
    public void clear() {
        closeAll();
        truncated = false;
    }

    /// Takes in the descriptors of one receive.
    ///
    /// @param cut whether the kernel had to drop some
    void append(MemorySegment control, long offset, int received, boolean cut) {
        boolean all = !cut && received <= CAPACITY - count;
        for (int i = 0; i < received; i++) {
            int number = control.get(ValueLayout.JAVA_INT, offset + (long) i * Integer.BYTES);
            if (all) {
                numbers[count++] = number;
            } else {
                Libc.call(Libc.CLOSE, number, 0);
            }
        }
        if (!all) {
            truncated = true;
        }
    }

    /// Notes that descriptors were dropped though none arrived.
    void cut() {
        truncated = true;
    }
}
