// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The functions of the C library that this bundle calls, and the one way to call them.
///
/// All go through a single downcall of six longs, because every distinct shape costs start-up time. That is sound for both
/// calling conventions in question (System V x86-64, AAPCS64): six integers always travel in registers, a function ignores
/// those it has no parameter for, and reads the low half of those it takes as `int`. Library functions are used rather than
/// system call numbers, as only the latter differ between the architectures.
final class Libc {
    static final MemorySegment ACCEPT4 = function("accept4");
    static final MemorySegment BIND = function("bind");
    static final MemorySegment CLOSE = function("close");
    static final MemorySegment CONNECT = function("connect");
    static final MemorySegment EPOLL_CREATE1 = function("epoll_create1");
    static final MemorySegment EPOLL_CTL = function("epoll_ctl");
    static final MemorySegment EPOLL_WAIT = function("epoll_wait");
    static final MemorySegment EVENTFD = function("eventfd");
    static final MemorySegment FCHMOD = function("fchmod");
    static final MemorySegment FCHMODAT = function("fchmodat");
    static final MemorySegment FCNTL = function("fcntl");
    static final MemorySegment FTRUNCATE = function("ftruncate");
    static final MemorySegment GETSOCKOPT = function("getsockopt");
    static final MemorySegment IOCTL = function("ioctl");
    static final MemorySegment LISTEN = function("listen");
    static final MemorySegment MEMFD_CREATE = function("memfd_create");
    static final MemorySegment MMAP = function("mmap");
    static final MemorySegment MUNMAP = function("munmap");
    static final MemorySegment OPEN = function("open");
    static final MemorySegment POLL = function("poll");
    static final MemorySegment PREAD = function("pread");
    static final MemorySegment PREADV2 = function("preadv2");
    static final MemorySegment PWRITE = function("pwrite");
    static final MemorySegment READ = function("read");
    static final MemorySegment READLINK = function("readlink");
    static final MemorySegment RECVMSG = function("recvmsg");
    static final MemorySegment SEND = function("send");
    static final MemorySegment SENDMSG = function("sendmsg");
    static final MemorySegment SHUTDOWN = function("shutdown");
    static final MemorySegment SOCKET = function("socket");
    static final MemorySegment SOCKETPAIR = function("socketpair");
    static final MemorySegment STATX = function("statx");
    static final MemorySegment SYSCONF = function("sysconf");
    static final MemorySegment UNLINK = function("unlink");
    static final MemorySegment WRITE = function("write");

    /// Negative, as the hot calls answer them.
    static final int EAGAIN = -Errno.EAGAIN.value();
    static final int EBADF = -Errno.EBADF.value();
    static final int EINTR = -Errno.EINTR.value();
    static final int EINVAL = -Errno.EINVAL.value();

    /// Bytes of [#scratch()].
    static final int SCRATCH_BYTES = 256;

    private static final long ERRNO_OFFSET = Linker.Option.captureStateLayout().byteOffset(PathElement.groupElement("errno"));
    private static final long SCRATCH_OFFSET = 64;
    private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(
            FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG),
            Linker.Option.captureCallState("errno"));

    /// A thread's own native memory: the captured errno, then scratch space. The value is a type of the JDK, so that a
    /// thread that outlives this bundle does not pin its class loader.
    private static final ThreadLocal<MemorySegment> PER_THREAD =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SCRATCH_OFFSET + SCRATCH_BYTES, 64));

    private Libc() {
    }

    private static MemorySegment function(String name) {
        return Linker.nativeLinker().defaultLookup().findOrThrow(name);
    }

    /// Calls a function that returns an `int`: its result, or the negative errno.
    static int call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = PER_THREAD.get();
        // The upper half of the register is not defined for an int.
        int result = (int) invoke(function, state, a, b, c, d, e, f);
        return result == -1 ? -state.get(ValueLayout.JAVA_INT, ERRNO_OFFSET) : result;
    }

    static int call(MemorySegment function, long a, long b, long c, long d) {
        return call(function, a, b, c, d, 0, 0);
    }

    static int call(MemorySegment function, long a, long b, long c) {
        return call(function, a, b, c, 0, 0, 0);
    }

    static int call(MemorySegment function, long a, long b) {
        return call(function, a, b, 0, 0, 0, 0);
    }

    /// Calls a function that returns a `ssize_t` or a pointer: its result, or the negative errno.
    static long callLong(MemorySegment function, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = PER_THREAD.get();
        long result = invoke(function, state, a, b, c, d, e, f);
        return result == -1 ? -state.get(ValueLayout.JAVA_INT, ERRNO_OFFSET) : result;
    }

    /// Native memory of the current thread for the arguments of one call; its content does not survive the next user.
    static MemorySegment scratch() {
        return PER_THREAD.get();
    }

    /// Where the scratch space begins in [#scratch()].
    static long scratchOffset() {
        return SCRATCH_OFFSET;
    }

    private static long invoke(MemorySegment function, MemorySegment state, long a, long b, long c, long d, long e, long f) {
        try {
            return (long) CALL.invokeExact(function, state, a, b, c, d, e, f);
        } catch (RuntimeException | Error unexpected) { // checkstyle: allow IllegalCatch: rethrown as it is
            throw unexpected;
            // checkstyle: allow IllegalCatch: the signature of invokeExact; a downcall throws nothing checked
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    /// The exception for a negative errno of that call.
    static VfioException failure(String call, long negativeErrno, String arguments) {
        int errno = (int) -negativeErrno;
        return new VfioException(Errno.of(errno), "call=" + call + " errno=0x" + Integer.toHexString(errno) + " " + arguments);
    }

    /// The address of a range of caller's memory.
    ///
    /// @throws IndexOutOfBoundsException when the range is not inside
    /// @throws IllegalArgumentException for memory on the heap
    /// @throws IllegalStateException when the memory was released
    static long address(MemorySegment memory, long offset, long length) {
        Objects.checkFromIndexSize(offset, length, memory.byteSize());
        if (!memory.isNative()) {
            throw new IllegalArgumentException("memory is on the heap");
        }
        if (!memory.scope().isAlive()) {
            throw new IllegalStateException("memory was released");
        }
        return memory.address() + offset;
    }
}
