// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// A memory barrier on all threads of this process at once (`membarrier(2)`): who looks rarely pays for it, so that who is looked at often
/// need not fence. A thread that stored and then loaded without a fence in between has either had its store seen by whoever looks after
/// the barrier, or its load sees what was stored before it.
///
/// The C library has no function for it, so that this is the one call by number.
public final class ProcessBarrier {
    private static final long REGISTER_PRIVATE_EXPEDITED = 1 << 4;
    private static final long PRIVATE_EXPEDITED = 1 << 3;
    private static final Optional<MemorySegment> SYSCALL = Linker.nativeLinker().defaultLookup().find("syscall");
    private static final long NUMBER = number();
    private static final boolean AVAILABLE = NUMBER >= 0 && SYSCALL.isPresent() && call(REGISTER_PRIVATE_EXPEDITED) == 0;

    private ProcessBarrier() {
    }

    private static long number() {
        return switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> 324;
            case "aarch64" -> 283;
            default -> -1;
        };
    }

    private static int call(long command) {
        return Libc.call(SYSCALL.orElseThrow(), NUMBER, command, 0, 0);
    }

    /// Whether this system has it: since Linux 4.14, unless a filter of system calls forbids it. Constant.
    public static boolean isAvailable() {
        return AVAILABLE;
    }

    /// On return every thread of the process has passed a full barrier since the call. Takes microseconds. May be called by any thread.
    ///
    /// @throws IllegalStateException where it is not available
    public static void pass() {
        int result = AVAILABLE ? call(PRIVATE_EXPEDITED) : -1;
        if (result != 0) {
            throw new IllegalStateException("call=membarrier result=" + result + " expected=0");
        }
    }
}
