// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** DEVICE_GET_REGION_IO_FDS. */
public class GetRegionIoFdsIT extends CommandWithArgsz {
    public GetRegionIoFdsIT() {
        super(Command.DEVICE_GET_REGION_IO_FDS);
    }

    @Override
    Bytes valid() {
        return Payload.regionIoFds(Payload.REGION_IO_FDS, 0, CONFIG, 0);
    }

    @Test
    public void rejectsIndicesThatDoNotExist() throws VfioException {
        RawClient client = served.ready();
        for (long index : new long[] {REGIONS, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, Command.DEVICE_GET_REGION_IO_FDS, Payload.regionIoFds(Payload.REGION_IO_FDS, 0, index, 0));
        }
    }

    @Test
    public void rejectsFlagsAndACount() throws VfioException {
        RawClient client = served.ready();
        refuses(EINVAL, client, Command.DEVICE_GET_REGION_IO_FDS, Payload.regionIoFds(Payload.REGION_IO_FDS, 1, BAR0, 0));
        refuses(EINVAL, client, Command.DEVICE_GET_REGION_IO_FDS, Payload.regionIoFds(Payload.REGION_IO_FDS, 0, BAR0, 1));
    }

    @Test
    public void tellsAConsistentAnswerForEachRegion() throws VfioException {
        RawClient client = served.ready();
        for (int index = 0; index < REGIONS; index++) {
            Message reply = succeeds(client, Command.DEVICE_GET_REGION_IO_FDS,
                Payload.regionIoFds(Payload.REGION_IO_FDS, 0, index, 0));
            assertThat(reply.u32(0)).as("argsz").isEqualTo(Payload.REGION_IO_FDS + 40 * reply.u32(12));
            assertThat(reply.payload()).as("no longer than asked").hasSize(Payload.REGION_IO_FDS);
            assertThat(reply.u32(8)).as("index").isEqualTo(index);
            assertThat(reply.fds()).isEmpty();
        }
    }
}
