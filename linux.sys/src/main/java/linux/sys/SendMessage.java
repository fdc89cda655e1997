// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/// The native arguments of sendmsg, made once per socket: one `msghdr`, two `iovec`, room for the control data.
final class SendMessage {
    /// `SCM_MAX_FD`: what the kernel takes in one message.
    static final int MOST_FDS = 253;

    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;

    private static final long IOVEC = MsghdrLayout.BYTES;
    private static final long IOVEC2 = IOVEC + IovecLayout.BYTES;
    private static final long CONTROL = IOVEC2 + IovecLayout.BYTES;

    private final MemorySegment memory = Arena.ofAuto().allocate(CONTROL + CmsghdrLayout.spaceFor(MOST_FDS), Long.BYTES);

    SendMessage() {
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.IOV, memory.address() + IOVEC);
        memory.set(ValueLayout.JAVA_INT, CONTROL + CmsghdrLayout.LEVEL, CmsghdrLayout.SOL_SOCKET);
        memory.set(ValueLayout.JAVA_INT, CONTROL + CmsghdrLayout.TYPE, CmsghdrLayout.SCM_RIGHTS);
    }

    static int send(int number, long address, int length, boolean wait) {
        int result;
        do {
            result = (int) Libc.callLong(Libc.SEND, number, address, length, flags(wait), 0, 0);
        } while (result == Libc.EINTR);
        return result;
    }

    int send2(int number, long address1, int length1, long address2, int length2, boolean wait) {
        element(IOVEC, address1, length1);
        element(IOVEC2, address2, length2);
        return sendMessage(number, 2, 0, wait);
    }

    int sendWithFds(int number, long address, int length, int[] fds, int fdCount, boolean wait) {
        element(IOVEC, address, length);
        memory.set(ValueLayout.JAVA_LONG, CONTROL + CmsghdrLayout.LEN, CmsghdrLayout.lengthFor(fdCount));
        for (int i = 0; i < fdCount; i++) {
            memory.set(ValueLayout.JAVA_INT, CONTROL + CmsghdrLayout.DATA + (long) i * Integer.BYTES, fds[i]);
        }
        return sendMessage(number, 1, fdCount == 0 ? 0 : CmsghdrLayout.spaceFor(fdCount), wait);
    }

    private void element(long iovec, long address, int length) {
        memory.set(ValueLayout.JAVA_LONG, iovec + IovecLayout.BASE, address);
        memory.set(ValueLayout.JAVA_LONG, iovec + IovecLayout.LEN, length);
    }

    private int sendMessage(int number, int elements, long controlBytes, boolean wait) {
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.IOVLEN, elements);
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.CONTROL, controlBytes == 0 ? 0 : memory.address() + CONTROL);
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.CONTROLLEN, controlBytes);
        int result;
        do {
            result = (int) Libc.callLong(Libc.SENDMSG, number, memory.address(), flags(wait), 0, 0, 0);
        } while (result == Libc.EINTR);
        Reference.reachabilityFence(this);
        return result;
    }

    private static int flags(boolean wait) {
        return MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);
    }
}
