// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// What tests say about the descriptors of this process.
final class Descriptors {
    private static final int RLIMIT_NOFILE = 7;
    private static final int MOST_ROUNDS = 5;

    private Descriptors() {
    }

    @FunctionalInterface
    interface Body {
        void run() throws VfioException, InterruptedException;
    }

    /// Runs it, and checks that it leaves as many descriptors open as it found. It runs twice at least: the first time loads classes, for
    /// which the JVM may open files of its own. What other threads of the JVM have open for a moment is not there each time.
    static void assertKept(Body body) throws VfioException, InterruptedException {
        body.run();
        int before = 0;
        int after = 1;
        for (int round = 0; round < MOST_ROUNDS && after != before; round++) {
            before = Proc.openDescriptors();
            body.run();
            after = Proc.openDescriptors();
        }
        assertThat(after).as("open descriptors").isEqualTo(before);
    }

    /// Runs it first as it is, to load its classes, and then while the process may open only that many descriptors more.
    static void withFree(int free, Body warmUp, Body body) throws VfioException, InterruptedException {
        warmUp.run();
        Errors.assertFails(Errno.EBADF, "fcntl", () -> Fd.own(0x7FFF_FFF0).duplicate());
        int limit;
        try (Fd first = lowestFree()) {
            limit = first.number() + free;
        }
        try (var arena = Arena.ofConfined()) {
            MemorySegment old = arena.allocate(16);
            rlimit("getrlimit", old);
            MemorySegment low = arena.allocate(16).copyFrom(old);
            low.set(ValueLayout.JAVA_LONG, 0, limit);
            rlimit("setrlimit", low);
            try {
                body.run();
            } finally {
                rlimit("setrlimit", old);
            }
        }
    }

    private static Fd lowestFree() throws VfioException {
        return Memfd.create("lowest", 0, false);
    }

    private static void rlimit(String function, MemorySegment limits) {
        Linker linker = Linker.nativeLinker();
        MethodHandle handle = linker.downcallHandle(linker.defaultLookup().findOrThrow(function),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try {
            int result = (int) handle.invokeExact(RLIMIT_NOFILE, limits);
            assertThat(result).isZero();
            // checkstyle: allow IllegalCatch: the signature of invokeExact
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
