// SPDX-License-Identifier: Apache-2.0
package vfio.user.wire.client;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.user.wire.client.ScriptedSession.throwsErrno;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.migration.IovaRange;

/// Payloads of the log of a device's writes, written down by hand from QEMU's `docs/interop/vfio-user.rst` and libvfio-user's
/// `include/vfio-user.h`, on a little-endian machine.
@Timeout(60)
class ClientDmaLoggingTest {
    private static final int DMA_UNMAP = 3;
    private static final int DMA_READ = 11;
    private static final int FEATURE = 16;
    private static final int PAGE = 0x1000;
    private static final IovaRange TWO = new IovaRange(0x4000, 0x2000);
    private static final String ASKED = "28000000 08000100 0040000000000000 0020000000000000 0010000000000000";
    private static final String UNMAP = "30000000 01000000 0040000000000000 0020000000000000 0010000000000000 0800000000000000";

    @Test
    void rejectsAnswersThatMakeNoSense() throws Exception {
        ScriptedSession.run(peer -> {
            peer.answer(FEATURE, ASKED, ASKED);
            peer.answer(FEATURE, ASKED, ASKED + "0400000000000000");
            peer.answer(FEATURE, "18000000 06000200 0010000000000000 00000000 00000000", "0c000000 06000200 00100000");
            peer.answer(DMA_UNMAP, UNMAP, UNMAP);
        }, client -> {
            throwsErrno(Errno.EPROTO, () -> client.dmaLogging().report(TWO, PAGE));
            throwsErrno(Errno.EPROTO, () -> client.dmaLogging().report(TWO, PAGE));
            throwsErrno(Errno.EPROTO, () -> client.dmaLogging().start(PAGE, List.of()));
            throwsErrno(Errno.EPROTO, () -> client.dmaLogging().unmap(TWO, PAGE));
        });
    }

    @Test
    void rejectsWhatNoMessageCanAsk() throws Exception {
        ScriptedSession.run(peer -> { }, client -> {
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().report(TWO, 0));
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().report(TWO, 0x1800));
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().report(new IovaRange(0, -1), PAGE));
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().report(new IovaRange(0, 1L << 35), PAGE));
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().unmap(new IovaRange(0, 1L << 35), PAGE));
        });
    }

    @Test
    void saysWhetherWritesCanBeLogged() throws Exception {
        ScriptedSession.run(peer -> {
            peer.refuse(FEATURE, "08000000 06000600", Errno.ENOTTY);
            peer.answer(FEATURE, "08000000 06000600", "08000000 06000600");
            peer.answer(FEATURE, "08000000 08000500", "08000000 08000500");
        }, client -> {
            assertThat(client.dmaLogging().available()).isFalse();
            assertThat(client.dmaLogging().available()).isTrue();
        });
    }

    @Test
    void startsAndStops() throws Exception {
        String control = "38000000 06000200 0010000000000000 02000000 00000000 0000000000000000 0010000000000000"
            + "0000000001000000 0000010000000000";
        ScriptedSession.run(peer -> {
            peer.answer(FEATURE, control, control.replaceFirst("0010", "0020"));
            peer.refuse(FEATURE, control, Errno.EINVAL);
            peer.answer(FEATURE, "08000000 07000200", "08000000 07000200");
        }, client -> {
            List<IovaRange> ranges = List.of(new IovaRange(0, PAGE), new IovaRange(1L << 32, 0x10000));
            assertThat(client.dmaLogging().start(PAGE, ranges)).as("page size chosen").isEqualTo(0x2000);
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().start(PAGE, ranges));
            client.dmaLogging().stop();
        });
    }

    @Test
    void reportsPages() throws Exception {
        String asked = "30000000 08000100 0040000000000000 ff0f040000000000 0010000000000000";
        String answer = "30000000 08000100 0040000000000000 ff0f040000000000 0010000000000000";
        ScriptedSession.run(peer -> {
            peer.answer(FEATURE, asked, answer + "0900000000000080 0100000000000000");
            peer.refuse(FEATURE, ASKED, Errno.EINVAL);
        }, client -> {
            DirtyPages pages = client.dmaLogging().report(new IovaRange(0x4000, 64 * PAGE + 0xFFF), PAGE);
            assertThat(pages.addresses()).containsExactly(0x4000L, 0x7000L, 0x43000L, 0x44000L);
            assertThat(pages.count()).isEqualTo(4);
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().report(TWO, PAGE));
        });
    }

    @Test
    void reportsPagesInAnUnmap() throws Exception {
        ScriptedSession.run(peer -> {
            peer.reply(peer.receive(), new byte[0]);
            peer.refuse(DMA_UNMAP, UNMAP, Errno.EINVAL);
            peer.ask(1, DMA_READ, ScriptedServer.access(0x4000, 1));
            assertThat(peer.receive().errno()).as("mapped still").isZero();
            peer.answer(DMA_UNMAP, UNMAP, UNMAP + "0200000000000000");
            peer.ask(2, DMA_READ, ScriptedServer.access(0x4000, 1));
            assertThat(peer.receive().errno()).as("not mapped").isEqualTo(Errno.EFAULT.value());
        }, client -> {
            client.mapDma(0x4000, Arena.ofAuto().allocate(0x2000), true, true);
            throwsErrno(Errno.EINVAL, () -> client.dmaLogging().unmap(TWO, PAGE));
            assertThat(client.serveDma(ScriptedSession.LONG)).isTrue();
            assertThat(client.dmaLogging().unmap(TWO, PAGE).addresses()).containsExactly(0x5000L);
            assertThat(client.serveDma(ScriptedSession.LONG)).isTrue();
        });
    }
}
