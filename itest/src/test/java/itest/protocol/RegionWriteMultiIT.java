// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.REGION_WRITE_MULTI;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** REGION_WRITE_MULTI. */
public class RegionWriteMultiIT extends CommandOverSocket {
    private static final int MOST_QEMU_SENDS = 200;

    public RegionWriteMultiIT() {
        super(REGION_WRITE_MULTI);
    }

    @Override
    Bytes valid() {
        return Payload.entry(Bytes.none().u64(1), KEEPS, BAR0, 4, 0x55);
    }

    private static long kept(RawClient client) {
        return succeeds(client, REGION_READ, Payload.access(KEEPS, BAR0, 4)).u32(Payload.REGION_ACCESS);
    }

    @Test
    public void rejectsCountsThatAreNotTheEntries() throws VfioException {
        RawClient client = served.ready();
        // Times 24 the large ones wrap to what is there.
        for (long count : new long[] {0, 2, 3, -1, Long.MIN_VALUE, Long.MIN_VALUE | 1, 0x2000_0000_0000_0001L, 0x1_0000_0001L,
            0x1555_5555_5555_5556L}) {
            refuses(EINVAL, client, REGION_WRITE_MULTI, Payload.entry(Bytes.none().u64(count), KEEPS, BAR0, 4, 0x77));
        }
        refuses(EINVAL, client, REGION_WRITE_MULTI, Bytes.none().u64(0));
        assertThat(kept(client)).as("nothing was written").isZero();
    }

    @Test
    public void writesAllInOrderAndSaysHowMany() throws VfioException {
        RawClient client = served.ready();
        Bytes all = Bytes.none().u64(MOST_QEMU_SENDS);
        for (int i = 1; i <= MOST_QEMU_SENDS; i++) {
            Payload.entry(all, KEEPS, BAR0, 4, i);
        }
        Message reply = succeeds(client, REGION_WRITE_MULTI, all);
        assertThat(reply.payload()).isEqualTo(Bytes.none().u64(MOST_QEMU_SENDS).array());
        assertThat(kept(client)).isEqualTo(MOST_QEMU_SENDS);
    }

    /** Each stands for itself. */
    @Test
    public void skipsThoseThatFail() throws VfioException {
        RawClient client = served.ready();
        Bytes some = Bytes.none().u64(7);
        Payload.entry(some, KEEPS, BAR0, 4, 1);
        Payload.entry(some, -1, BAR0, 4, 2);
        Payload.entry(some, KEEPS, 0xFFFF_FFFFL, 4, 3);
        Payload.entry(some, KEEPS, BAR0, 9, 4);
        Payload.entry(some, KEEPS, BAR0, 0, 5);
        Payload.entry(some, KEEPS, BAR0, 0xFFFF_FFFFL, 6);
        Payload.entry(some, KEEPS, BAR0, 4, 7);
        assertThat(succeeds(client, REGION_WRITE_MULTI, some).u64(0)).isEqualTo(2);
        assertThat(kept(client)).isEqualTo(7);
    }

    @Test
    public void takesAsManyAsAMessageHolds() throws VfioException {
        RawClient client = served.ready();
        int count = ((1 << 20) + 16 - Payload.WRITE_MULTI) / Payload.WRITE_ENTRY;
        Bytes all = Bytes.none().u64(count);
        for (int i = 0; i < count; i++) {
            Payload.entry(all, KEEPS, BAR0, 4, i);
        }
        assertThat(succeeds(client, REGION_WRITE_MULTI, all).u64(0)).isEqualTo(count);
        assertThat(kept(client)).isEqualTo(count - 1);
    }
}
