// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DMA_MAP;
import static itest.wire.Command.DMA_UNMAP;
import static itest.wire.Command.READABLE;
import static itest.wire.Command.WRITABLE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Payload;
import itest.wire.RawClient;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** DMA_UNMAP. */
public class DmaUnmapIT extends CommandWithArgsz {
    private static final int BOTH = READABLE | WRITABLE;
    private static final int GET_DIRTY_BITMAP = 1;
    private static final int ALL = 2;
    private static final long IOVA = 0x10_0000;
    private static final long SIZE = 0x4000;

    public DmaUnmapIT() {
        super(DMA_UNMAP);
    }

    @Override
    Bytes valid() {
        return Payload.dmaUnmap(ALL, 0, 0);
    }

    @Test
    public void rejectsFlagsItDoesNotKnow() throws VfioException {
        RawClient client = served.ready();
        for (int flags : new int[] {3, 4, 8, 1 << 31, -1}) {
            refuses(EINVAL, client, DMA_UNMAP, Payload.dmaUnmap(flags, 0, 0));
        }
        refuses(EINVAL, client, DMA_UNMAP, Payload.dmaUnmap(ALL, IOVA, 0));
        refuses(EINVAL, client, DMA_UNMAP, Payload.dmaUnmap(ALL, 0, SIZE));
        refuses(EOPNOTSUPP, client, DMA_UNMAP, Payload.dmaUnmap(GET_DIRTY_BITMAP, IOVA, SIZE).u64(4096, 8));
    }

    @Test
    public void rejectsRangesThatAreEmptyOrWrap() throws VfioException {
        RawClient client = served.ready();
        for (long[] range : new long[][] {{IOVA, 0}, {0, 0}, {-1, 2}, {-4096, 8192}, {IOVA, -1}}) {
            refuses(EINVAL, client, DMA_UNMAP, Payload.dmaUnmap(0, range[0], range[1]));
        }
    }

    /** As in Linux: a client with a virtual IOMMU lets go of whole address spaces. */
    @Test
    public void unmapsRangesWhereNothingIs() throws VfioException {
        RawClient client = served.ready();
        for (long[] range : new long[][] {{IOVA, SIZE}, {0, -1}, {-1, 1}, {-4096, 4096}, {0, Long.MIN_VALUE}}) {
            Bytes unmap = Payload.dmaUnmap(0, range[0], range[1]);
            assertThat(succeeds(client, DMA_UNMAP, unmap).payload()).isEqualTo(unmap.array());
        }
        serves(client);
    }

    @Test
    public void rejectsToCutAMapping() throws VfioException {
        RawClient client = served.ready();
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, SIZE), memory);
            for (long[] range : new long[][] {{IOVA, SIZE - 4096}, {IOVA + 4096, SIZE - 4096}, {IOVA + 4096, 4096},
                {IOVA - 4096, 2 * 4096}}) {
                refuses(EINVAL, client, DMA_UNMAP, Payload.dmaUnmap(0, range[0], range[1]));
            }
            succeeds(client, DMA_UNMAP, Payload.dmaUnmap(0, IOVA, SIZE));
        }
    }

    /** The answer is the request's structure; what was unmapped can be mapped again. */
    @Test
    public void unmapsExactlyOneSeveralOrAll() throws VfioException {
        RawClient client = served.ready();
        try (Fd memory = Memfd.create("guest", SIZE, true)) {
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 4; i++) {
                    succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA + i * SIZE, SIZE), memory);
                }
                Bytes one = Payload.dmaUnmap(0, IOVA, SIZE);
                assertThat(succeeds(client, DMA_UNMAP, one).payload()).isEqualTo(one.array());
                Bytes two = Payload.dmaUnmap(0, IOVA + SIZE, 2 * SIZE);
                assertThat(succeeds(client, DMA_UNMAP, two).payload()).isEqualTo(two.array());
                assertThat(succeeds(client, DMA_UNMAP, valid()).payload()).isEqualTo(valid().array());
                succeeds(client, DMA_MAP, Payload.dmaMap(BOTH, 0, IOVA, 4 * SIZE));
                succeeds(client, DMA_UNMAP, Payload.dmaUnmap(0, 0, Long.MIN_VALUE));
            }
        }
    }
}
