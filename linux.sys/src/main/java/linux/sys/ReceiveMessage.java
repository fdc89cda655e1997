// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/// The native arguments of recvmsg, made once per socket: one `msghdr`, one `iovec`, room for the control data.
final class ReceiveMessage {
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private static final long IOVEC = MsghdrLayout.BYTES;
    private static final long CONTROL = IOVEC + IovecLayout.BYTES;
    private static final long CONTROL_BYTES = CmsghdrLayout.spaceFor(ReceivedFds.CAPACITY);

    private final MemorySegment memory = Arena.ofAuto().allocate(CONTROL + CONTROL_BYTES, Long.BYTES);

    ReceiveMessage() {
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.IOV, memory.address() + IOVEC);
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.IOVLEN, 1);
        memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.CONTROL, memory.address() + CONTROL);
    }

    /// The bytes received, 0 at the end of the file, or a negative errno. What came with them is in `fds`.
    int receive(int number, long address, int length, ReceivedFds fds, boolean wait) {
        memory.set(ValueLayout.JAVA_LONG, IOVEC + IovecLayout.BASE, address);
        memory.set(ValueLayout.JAVA_LONG, IOVEC + IovecLayout.LEN, length);
        int flags = MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT);
        int result;
        do {
            memory.set(ValueLayout.JAVA_LONG, MsghdrLayout.CONTROLLEN, CONTROL_BYTES);
            result = (int) Libc.callLong(Libc.RECVMSG, number, memory.address(), flags, 0, 0, 0);
        } while (result == Libc.EINTR);
        if (result >= 0) {
            collect(fds);
        }
        Reference.reachabilityFence(this);
        return result;
    }

    private void collect(ReceivedFds fds) {
        long end = memory.get(ValueLayout.JAVA_LONG, MsghdrLayout.CONTROLLEN);
        boolean cut = (memory.get(ValueLayout.JAVA_INT, MsghdrLayout.FLAGS) & MSG_CTRUNC) != 0;
        if (cut) {
            fds.cut();
        }
        long at = 0;
        while (end - at >= CmsghdrLayout.DATA) {
            long header = CONTROL + at;
            long length = memory.get(ValueLayout.JAVA_LONG, header + CmsghdrLayout.LEN);
            if (length < CmsghdrLayout.DATA || length > end - at) {
                return;
            }
            if (memory.get(ValueLayout.JAVA_INT, header + CmsghdrLayout.LEVEL) == CmsghdrLayout.SOL_SOCKET
                    && memory.get(ValueLayout.JAVA_INT, header + CmsghdrLayout.TYPE) == CmsghdrLayout.SCM_RIGHTS) {
                int received = (int) ((length - CmsghdrLayout.DATA) / Integer.BYTES);
                fds.append(memory, header + CmsghdrLayout.DATA, received, cut);
            }
            at += CmsghdrLayout.align(length);
        }
    }
}
