// SPDX-License-Identifier: Apache-2.0
package linux.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import org.junit.jupiter.api.Test;

/// Sizes and offsets as a C compiler gives them for the headers of x86-64, and of aarch64 where they differ.
class LayoutTest {
    @Test
    void statx() {
        assertThat(StatxLayout.LAYOUT.byteSize()).isEqualTo(256);
        assertThat(StatxLayout.MODE).isEqualTo(28);
        assertThat(StatxLayout.SIZE).isEqualTo(40);
    }

    @Test
    void pollfd() {
        assertThat(PollfdLayout.LAYOUT.byteSize()).isEqualTo(8);
        assertThat(PollfdLayout.FD).isEqualTo(0);
        assertThat(PollfdLayout.EVENTS).isEqualTo(4);
        assertThat(PollfdLayout.REVENTS).isEqualTo(6);
    }

    @Test
    void ifreq() {
        assertThat(IfreqLayout.LAYOUT.byteSize()).isEqualTo(40);
        assertThat(IfreqLayout.NAME).isEqualTo(0);
        assertThat(IfreqLayout.FLAGS).isEqualTo(16);
    }

    @Test
    void iovec() {
        assertThat(IovecLayout.BYTES).isEqualTo(16);
        assertThat(IovecLayout.BASE).isEqualTo(0);
        assertThat(IovecLayout.LEN).isEqualTo(8);
    }

    @Test
    void msghdr() {
        assertThat(MsghdrLayout.BYTES).isEqualTo(56);
        assertThat(MsghdrLayout.IOV).isEqualTo(16);
        assertThat(MsghdrLayout.IOVLEN).isEqualTo(24);
        assertThat(MsghdrLayout.CONTROL).isEqualTo(32);
        assertThat(MsghdrLayout.CONTROLLEN).isEqualTo(40);
        assertThat(MsghdrLayout.FLAGS).isEqualTo(48);
    }

    @Test
    void cmsghdr() {
        assertThat(CmsghdrLayout.LEN).isEqualTo(0);
        assertThat(CmsghdrLayout.LEVEL).isEqualTo(8);
        assertThat(CmsghdrLayout.TYPE).isEqualTo(12);
        assertThat(CmsghdrLayout.DATA).isEqualTo(16);
        assertThat(CmsghdrLayout.lengthFor(1)).isEqualTo(20);
        assertThat(CmsghdrLayout.spaceFor(1)).isEqualTo(24);
        assertThat(CmsghdrLayout.spaceFor(2)).isEqualTo(24);
    }

    @Test
    void sockaddrUn() {
        assertThat(SockaddrUnLayout.LAYOUT.byteSize()).isEqualTo(110);
        assertThat(SockaddrUnLayout.PATH).isEqualTo(2);
        assertThat(SockaddrUnLayout.LONGEST_PATH).isEqualTo(107);
    }

    @Test
    void ucred() {
        assertThat(UcredLayout.LAYOUT.byteSize()).isEqualTo(12);
        assertThat(UcredLayout.PID).isEqualTo(0);
        assertThat(UcredLayout.UID).isEqualTo(4);
        assertThat(UcredLayout.GID).isEqualTo(8);
    }

    @Test
    void epollEventIsPackedOnX86Only() {
        StructLayout x86 = EpollEventLayout.layoutFor("amd64");
        assertThat(x86.byteSize()).isEqualTo(12);
        assertThat(x86.byteOffset(PathElement.groupElement("data"))).isEqualTo(4);

        StructLayout arm = EpollEventLayout.layoutFor("aarch64");
        assertThat(arm.byteSize()).isEqualTo(16);
        assertThat(arm.byteOffset(PathElement.groupElement("data"))).isEqualTo(8);
    }
}
