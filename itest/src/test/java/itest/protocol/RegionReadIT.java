// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.REGION_READ;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.util.Arrays;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** REGION_READ. */
public class RegionReadIT extends CommandOverSocket {
    private static final long IDS = 0x154C_8086L;

    public RegionReadIT() {
        super(REGION_READ);
    }

    @Override
    Bytes valid() {
        return Payload.access(0, CONFIG, 4);
    }

    @Test
    public void rejectsCountsThatNoAnswerHolds() throws VfioException {
        RawClient client = served.ready();
        for (long count : new long[] {0, (1 << 20) + 1, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFF0L, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, REGION_READ, Payload.access(0, BAR0, count));
        }
    }

    @Test
    public void rejectsRangesThatAreNotInTheRegion() throws VfioException {
        RawClient client = served.ready();
        long[][] ranges = {{0x10000, 1}, {0xFFFF, 2}, {0xFFFD, 4}, {-1, 1}, {-4, 8}, {Long.MAX_VALUE, 1}, {Long.MIN_VALUE, 4},
            {0xFFFF_FFFCL, 8}, {0, 0x10001}};
        for (long[] range : ranges) {
            refuses(EINVAL, client, REGION_READ, Payload.access(range[0], BAR0, range[1]));
        }
        refuses(EINVAL, client, REGION_READ, Payload.access(4096, CONFIG, 1));
        refuses(EINVAL, client, REGION_READ, Payload.access(4093, CONFIG, 4));
    }

    @Test
    public void rejectsRegionsThatDoNotExistOrAreEmpty() throws VfioException {
        RawClient client = served.ready();
        for (long region : new long[] {1, 6, 8, REGIONS, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, REGION_READ, Payload.access(0, region, 4));
        }
    }

    @Test
    public void readsAndSaysWhatItRead() throws VfioException {
        RawClient client = served.ready();
        Message reply = succeeds(client, REGION_READ, Payload.access(0, CONFIG, 4));
        assertThat(reply.payload()).isEqualTo(Bytes.none().u64(0).u32(CONFIG, 4, IDS).array());
        Message whole = succeeds(client, REGION_READ, Payload.access(0, CONFIG, 256));
        assertThat(whole.payload()).hasSize(Payload.REGION_ACCESS + 256);
        for (int count : new int[] {1, 2, 3, 4, 5, 8}) {
            Message part = succeeds(client, REGION_READ, Payload.access(1, CONFIG, count));
            assertThat(Arrays.copyOfRange(part.payload(), 16, 16 + count)).as("config space, %d bytes from 1", count)
                .isEqualTo(Arrays.copyOfRange(whole.payload(), 17, 17 + count));
        }
        assertThat(succeeds(client, REGION_READ, Payload.access(0, BAR0, 0x3000)).payload()).hasSize(Payload.REGION_ACCESS + 0x3000);
    }
}
