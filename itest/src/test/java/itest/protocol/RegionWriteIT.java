// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.REGION_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** REGION_WRITE, with a reply and posted. */
public class RegionWriteIT extends CommandOverSocket {
    public RegionWriteIT() {
        super(REGION_WRITE);
    }

    @Override
    Bytes valid() {
        return Payload.access(KEEPS, BAR0, 4).u32(0x1234_5678);
    }

    private static long kept(RawClient client) {
        return succeeds(client, REGION_READ, Payload.access(KEEPS, BAR0, 4)).u32(Payload.REGION_ACCESS);
    }

    @Test
    public void rejectsCountsThatAreNotTheData() throws VfioException {
        RawClient client = served.ready();
        for (long count : new long[] {0, 3, 5, 1 << 20, (1 << 20) + 1, 0x7FFF_FFFFL, 0xFFFF_FFFFL, 0xFFFF_FFF4L}) {
            refuses(EINVAL, client, REGION_WRITE, Payload.access(KEEPS, BAR0, count).u32(0xFFFF_FFFFL));
        }
        assertThat(kept(client)).as("nothing was written").isZero();
    }

    @Test
    public void rejectsRangesThatAreNotInTheRegion() throws VfioException {
        RawClient client = served.ready();
        for (long offset : new long[] {0x10000, 0xFFFD, -1, -4, Long.MAX_VALUE, Long.MIN_VALUE, 0xFFFF_FFFCL}) {
            refuses(EINVAL, client, REGION_WRITE, Payload.access(offset, BAR0, 4).u32(-1));
        }
        for (long region : new long[] {1, 6, 8, REGIONS, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, REGION_WRITE, Payload.access(0, region, 4).u32(-1));
        }
    }

    @Test
    public void writesAndSaysWhatItWrote() throws VfioException {
        RawClient client = served.ready();
        Message reply = succeeds(client, REGION_WRITE, valid());
        assertThat(reply.payload()).isEqualTo(Payload.access(KEEPS, BAR0, 4).array());
        assertThat(kept(client)).isEqualTo(0x1234_5678);
        Bytes eight = Payload.access(KEEPS, BAR0, 8).u64(0x0102_0304_0506_0708L);
        succeeds(client, REGION_WRITE, eight);
        assertThat(succeeds(client, REGION_READ, Payload.access(KEEPS, BAR0, 8)).u64(Payload.REGION_ACCESS))
            .isEqualTo(0x0102_0304_0506_0708L);
    }

    @Test
    public void carriesPostedOnesOutInOrder() throws VfioException {
        RawClient client = served.ready();
        Bytes many = Bytes.none();
        for (int i = 1; i <= 5000; i++) {
            many.raw(Message.encode(0, REGION_WRITE, Message.NO_REPLY, Payload.access(KEEPS, BAR0, 4).u32(i).array()));
        }
        client.send(many.array());
        assertThat(kept(client)).isEqualTo(5000);
        client.post(REGION_WRITE, Message.NO_REPLY, Payload.access(-1, BAR0, 4).u32(1));
        client.post(REGION_WRITE, Message.NO_REPLY, Payload.access(0, 77, 4).u32(1));
        assertThat(kept(client)).as("one that fails has no answer").isEqualTo(5000);
    }
}
