// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.lang.foreign.ValueLayout;
import linux.sys.Fd;
import linux.sys.Mapping;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** DEVICE_GET_REGION_INFO. */
public class GetRegionInfoIT extends CommandWithArgsz {
    private static final int FLAGS = 4;
    private static final int INDEX = 8;
    private static final int CAP_OFFSET = 12;
    private static final int SIZE = 16;
    private static final int OFFSET = 24;
    private static final int CAP_SPARSE_MMAP = 1;
    private static final int CAP_HEADER = 8;
    private static final int AREAS = 16;
    private static final int AREA = 16;
    private static final long BAR0_SIZE = 0x10000;
    private static final long BAR3_SIZE = 0x4000;
    private static final long CONFIG_SIZE = 4096;

    public GetRegionInfoIT() {
        super(Command.DEVICE_GET_REGION_INFO);
    }

    /** Config space has no capability. */
    @Override
    Bytes valid() {
        return Payload.regionInfo(Payload.REGION_INFO, CONFIG);
    }

    @Test
    public void rejectsIndicesThatDoNotExist() throws VfioException {
        RawClient client = served.ready();
        for (long index : new long[] {REGIONS, 100, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, Command.DEVICE_GET_REGION_INFO, Payload.regionInfo(Payload.REGION_INFO, index));
        }
    }

    @Test
    public void tellsSizesAndFlags() throws VfioException {
        RawClient client = served.ready();
        long[] sizes = {BAR0_SIZE, 0, 0, BAR3_SIZE, 0, 0, 0, CONFIG_SIZE, 0};
        for (int index = 0; index < REGIONS; index++) {
            Message reply = succeeds(client, Command.DEVICE_GET_REGION_INFO, Payload.regionInfo(Payload.REGION_INFO, index));
            assertThat(reply.payload()).as("region %d", index).hasSize(Payload.REGION_INFO);
            assertThat(reply.u32(INDEX)).isEqualTo(index);
            assertThat(reply.u64(SIZE)).as("size of region %d", index).isEqualTo(sizes[index]);
            assertThat(reply.u64(OFFSET)).isZero();
            assertThat(reply.u32(CAP_OFFSET)).as("asked with too little room for them").isZero();
            assertThat(reply.fds()).as("the client asks again and would get two").isEmpty();
            int access = sizes[index] == 0 ? 0 : Command.REGION_READABLE | Command.REGION_WRITABLE;
            assertThat(reply.u32(FLAGS) & ~Command.REGION_MMAP).as("flags of region %d", index).isEqualTo(access);
        }
    }

    /** As QEMU asks: with 32, then with what it was told. */
    @Test
    public void tellsAreasAndBringsOneFileToWhoHasRoom() throws VfioException {
        RawClient client = served.ready();
        long argsz = succeeds(client, Command.DEVICE_GET_REGION_INFO, Payload.regionInfo(Payload.REGION_INFO, BAR0)).u32(0);
        assertThat(argsz).isGreaterThan(Payload.REGION_INFO);
        Message less = succeeds(client, Command.DEVICE_GET_REGION_INFO, Payload.regionInfo(argsz - 1, BAR0));
        assertThat(less.payload()).as("one byte less than it takes").hasSize(Payload.REGION_INFO);
        assertThat(less.fds()).isEmpty();
        for (long room : new long[] {argsz, argsz + 1000, 0xFFFF_FFFFL}) {
            Message reply = succeeds(client, Command.DEVICE_GET_REGION_INFO, Payload.regionInfo(room, BAR0));
            assertThat(reply.payload()).hasSize((int) argsz);
            assertThat(reply.u32(0)).isEqualTo(argsz);
            assertThat(reply.u32(FLAGS)).isEqualTo(Command.REGION_READABLE | Command.REGION_WRITABLE | Command.REGION_MMAP
                | Command.REGION_CAPS);
            int areas = requireOneCapabilityOfAreas(reply);
            assertThat(reply.fds()).hasSize(1);
            try (Fd file = reply.fds().getFirst()) {
                assertThat(file.size()).as("areas lie in the file").isGreaterThanOrEqualTo(endOf(reply, areas - 1));
                requireTheRegister(client, file);
            }
        }
    }

    private static int requireOneCapabilityOfAreas(Message reply) {
        int cap = (int) reply.u32(CAP_OFFSET);
        assertThat(cap).isEqualTo(Payload.REGION_INFO);
        assertThat(reply.u16(cap)).as("id").isEqualTo(CAP_SPARSE_MMAP);
        assertThat(reply.u16(cap + 2)).as("version").isEqualTo(1);
        assertThat(reply.u32(cap + 4)).as("next").isZero();
        int areas = (int) reply.u32(cap + CAP_HEADER);
        assertThat(reply.payload()).hasSize(cap + AREAS + areas * AREA);
        for (int i = 0; i < areas; i++) {
            int at = cap + AREAS + i * AREA;
            assertThat(reply.u64(at) % 4096).isZero();
            assertThat(reply.u64(at + 8) % 4096).isZero();
            assertThat(reply.u64(at)).as("after the one before").isGreaterThanOrEqualTo(i == 0 ? 0 : endOf(reply, i - 1));
            assertThat(endOf(reply, i)).isBetween(1L, BAR0_SIZE);
        }
        return areas;
    }

    private static long endOf(Message reply, int area) {
        int at = Payload.REGION_INFO + AREAS + area * AREA;
        return reply.u64(at) + reply.u64(at + 8);
    }

    /** Byte n of the region is byte n of the file: QTX_TAIL1(1) at 4. */
    private static void requireTheRegister(RawClient client, Fd file) throws VfioException {
        succeeds(client, Command.REGION_WRITE, Payload.access(4, BAR0, 4).u32(0x123));
        try (Mapping mapped = Mapping.of(file, 0, 4096, true, true)) {
            assertThat(mapped.memory().get(ValueLayout.JAVA_INT, 4)).isEqualTo(0x123);
            mapped.memory().set(ValueLayout.JAVA_INT, 4, 0x456);
        }
        Message read = succeeds(client, Command.REGION_READ, Payload.access(4, BAR0, 4));
        assertThat(read.u32(Payload.REGION_ACCESS)).isEqualTo(0x456);
    }
}
