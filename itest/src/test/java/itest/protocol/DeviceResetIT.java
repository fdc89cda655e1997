// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DEVICE_RESET;
import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.REGION_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** DEVICE_RESET. */
public class DeviceResetIT extends CommandOverSocket {
    public DeviceResetIT() {
        super(DEVICE_RESET);
    }

    @Override
    Bytes valid() {
        return Bytes.none();
    }

    @Test
    public void resetsRegisters() throws VfioException {
        RawClient client = served.ready();
        succeeds(client, REGION_WRITE, Payload.access(KEEPS, BAR0, 4).u32(0x77));
        Message reply = succeeds(client, DEVICE_RESET, Bytes.none());
        assertThat(reply.payload()).isEmpty();
        assertThat(succeeds(client, REGION_READ, Payload.access(KEEPS, BAR0, 4)).u32(Payload.REGION_ACCESS)).isZero();
        serves(client);
    }
}
