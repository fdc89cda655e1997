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

/** DEVICE_GET_IRQ_INFO. */
public class GetIrqInfoIT extends CommandWithArgsz {
    private static final int EVENTFD = 1;
    private static final int NORESIZE = 8;
    private static final int COUNT = 12;

    public GetIrqInfoIT() {
        super(Command.DEVICE_GET_IRQ_INFO);
    }

    @Override
    Bytes valid() {
        return Payload.irqInfo(Payload.IRQ_INFO, MSIX);
    }

    @Test
    public void rejectsIndicesThatDoNotExist() throws VfioException {
        RawClient client = served.ready();
        for (long index : new long[] {IRQS, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, Command.DEVICE_GET_IRQ_INFO, Payload.irqInfo(Payload.IRQ_INFO, index));
        }
    }

    @Test
    public void tellsVectors() throws VfioException {
        RawClient client = served.ready();
        int[] vectors = {0, 0, VECTORS, 1, 1};
        for (int index = 0; index < IRQS; index++) {
            Message reply = succeeds(client, Command.DEVICE_GET_IRQ_INFO, Payload.irqInfo(0x1000, index));
            assertThat(reply.payload()).hasSize(Payload.IRQ_INFO);
            assertThat(reply.u32(0)).as("argsz").isEqualTo(Payload.IRQ_INFO);
            assertThat(reply.u32(8)).as("index").isEqualTo(index);
            assertThat(reply.u32(COUNT)).as("vectors of %d", index).isEqualTo(vectors[index]);
        }
        Message msix = succeeds(client, Command.DEVICE_GET_IRQ_INFO, valid());
        assertThat(msix.u32(4) & EVENTFD).isEqualTo(EVENTFD);
        assertThat(msix.u32(4) & ~(EVENTFD | NORESIZE)).as("MSI-X is neither maskable nor automasked").isZero();
    }
}
