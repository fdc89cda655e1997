// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DMA_MAP;
import static itest.wire.Command.DMA_UNMAP;
import static itest.wire.Command.READABLE;
import static itest.wire.Command.WRITABLE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Held;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import linux.sys.UnixSocket;
import org.junit.Test;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/** DMA_MAP. */
public class DmaMapIT extends CommandWithArgsz {
    private static final int BOTH = READABLE | WRITABLE;
    private static final long IOVA = 0x10_0000;
    private static final long SIZE = 0x4000;

    private long next;

    public DmaMapIT() {
        super(DMA_MAP);
    }

    /** Another place each time. */
    @Override
    Bytes valid() {
        next += SIZE;
        return Payload.dmaMap(BOTH, 0, IOVA + next, SIZE);
    }

    @Override
    int fdsTooMany() {
        return 2;
    }

    @Test
    public void rejectsFlagsItDoesNotKnow() throws VfioException {
        RawClient client = served.ready();
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            for (int flags : new int[] {0, 4, 8, 16, BOTH | 16, BOTH | 1 << 31, -1}) {
                refuses(EINVAL, client, DMA_MAP, Payload.dmaMap(flags, 0, IOVA, SIZE), memory);
                refuses(EINVAL, client, DMA_MAP, Payload.dmaMap(flags, 0, IOVA, SIZE));
            }
        }
    }

    @Test
    public void rejectsSizesAndAddressesThatWrap() throws VfioException {
        RawClient client = served.ready();
        long[][] ranges = {{IOVA, 0}, {IOVA, -1}, {IOVA, Long.MIN_VALUE}, {-4096, 8192}, {-1, 4096}, {IOVA, -4096}, {-4096, 4097}};
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            for (long[] range : ranges) {
                refuses(EINVAL, client, DMA_MAP, Payload.dmaMap(BOTH, 0, range[0], range[1]), memory);
                refuses(EINVAL, client, DMA_MAP, Payload.dmaMap(BOTH, 0, range[0], range[1]));
            }
        }
    }

    @Test
    public void rejectsWhatIsNotInTheFile() throws VfioException {
        RawClient client = served.ready();
        long[][] ranges = {{0, SIZE + 1}, {0, SIZE + 4096}, {4096, SIZE}, {SIZE, 4096}, {1, 4096}, {2048, 4096}, {-4096, 4096},
            {Long.MAX_VALUE & -4096, 4096}, {Long.MIN_VALUE, 4096}};
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            for (long[] range : ranges) {
                refuses(EINVAL, client, DMA_MAP, Payload.dmaMap(BOTH, range[0], 0, range[1]), memory);
                refuses(EINVAL, client, DMA_MAP, Payload.dmaMap(BOTH | 8, range[0], 0, range[1]), memory);
            }
            refuses(ENOMEM, client, DMA_MAP, Payload.dmaMap(BOTH, 0, 0, Long.MAX_VALUE), memory);
            refuses(ENOMEM, client, DMA_MAP, Payload.dmaMap(BOTH, 4096, 0, Long.MAX_VALUE - 8191), memory);
        }
    }

    @Test
    public void rejectsFilesThatAreNoMemory() throws VfioException {
        RawClient client = served.ready();
        UnixSocket[] pair = UnixSocket.pair();
        try (EventFd eventFd = EventFd.create(); UnixSocket one = pair[0]; UnixSocket other = pair[1];
                Fd empty = Memfd.create("empty", 0, false)) {
            for (OwnedFd wrong : new OwnedFd[] {eventFd.fd(), one.fd(), other.fd(), empty}) {
                for (int flags : new int[] {BOTH, BOTH | 8}) {
                    assertThat(client.call(DMA_MAP, Payload.dmaMap(flags, 0, IOVA, 4096), wrong).errno()).as("errno").isNotZero();
                    serves(client);
                }
            }
            succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, 4096));
        }
    }

    @Test
    public void rejectsWhatOverlaps() throws VfioException {
        RawClient client = served.ready();
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE), memory);
            for (long address : new long[] {IOVA, IOVA + SIZE - 4096, IOVA - SIZE + 4096, IOVA + 4096}) {
                refuses(EEXIST, client, DMA_MAP, Payload.dmaMap(BOTH, 0, address, SIZE), memory);
                refuses(EEXIST, client, DMA_MAP, Payload.dmaMap(READABLE, 0, address, SIZE));
            }
            succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA + SIZE, SIZE), memory);
            succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA - SIZE, SIZE), memory);
        }
    }

    /** As QEMU does it: several without waiting, with a file and without, and what it takes is given back. */
    @Test
    public void mapsWhatIsPipelined() throws VfioException {
        RawClient client = served.ready();
        long before = Held.mappings("/memfd:piped");
        try (Fd memory = Memfd.create("piped", 8 * SIZE, false)) {
            int[] ids = new int[16];
            for (int i = 0; i < 8; i++) {
                ids[2 * i] = client.post(DMA_MAP, 0, Payload.dmaMap(BOTH, i * SIZE, i * 2 * SIZE, SIZE), memory);
                ids[2 * i + 1] = client.post(DMA_MAP, 0, Payload.dmaMap(READABLE, 0, (i * 2 + 1) * SIZE, SIZE));
            }
            for (int id : ids) {
                Message reply = client.replyTo(id, DMA_MAP);
                assertThat(reply.errno()).isZero();
                assertThat(reply.payload()).isEmpty();
            }
            assertThat(Held.mappings("/memfd:piped")).as("mappings").isGreaterThan(before);
            succeeds(client, DMA_UNMAP, Payload.dmaUnmap(2, 0, 0));
            assertThat(Held.mappings("/memfd:piped")).as("mappings").isEqualTo(before);
        }
    }
}
