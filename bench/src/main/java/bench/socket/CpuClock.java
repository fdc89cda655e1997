// SPDX-License-Identifier: Apache-2.0
package bench.socket;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// The processor time of a process, of all its threads, also those that ended. By `clock_gettime`, as /proc counts ended threads in ticks.
final class CpuClock {
    @SuppressWarnings("restricted")
    private static final MethodHandle CLOCK_GETTIME = Linker.nativeLinker().downcallHandle(
        Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    private static final long PER_SECOND = 1_000_000_000;
    /// CPUCLOCK_SCHED of include/linux/posix-timers_types.h: the scheduler's count of nanoseconds.
    private static final int SCHED = 2;

    private CpuClock() {
    }

    /// Nanoseconds that a process has had a processor.
    static long nanos(long pid) throws IOException {
        // As MAKE_PROCESS_CPUCLOCK of the same file.
        int clock = (int) ~pid << 3 | SCHED;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment timespec = arena.allocate(ValueLayout.JAVA_LONG, 2);
            if ((int) CLOCK_GETTIME.invokeExact(clock, timespec) != 0) {
                throw new IOException("pid=" + pid + " expected=a process");
            }
            return timespec.getAtIndex(ValueLayout.JAVA_LONG, 0) * PER_SECOND + timespec.getAtIndex(ValueLayout.JAVA_LONG, 1);
        } catch (IOException | RuntimeException | Error e) { // checkstyle: allow IllegalCatch: rethrown as it is
            throw e;
            // checkstyle: allow IllegalCatch: the signature of invokeExact; a downcall throws nothing checked
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
