// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import org.junit.Test;
import vfio.pci.api.VfioException;

/** DEVICE_GET_INFO. */
public class GetInfoIT extends CommandWithArgsz {
    private static final int PCI = 2;
    private static final int RESET = 1;

    public GetInfoIT() {
        super(Command.DEVICE_GET_INFO);
    }

    @Override
    Bytes valid() {
        return Payload.deviceInfo(Payload.DEVICE_INFO);
    }

    @Test
    public void tellsRegionsAndInterrupts() throws VfioException {
        for (long argsz : new long[] {Payload.DEVICE_INFO, 0x40, 0xFFFF_FFFFL}) {
            Message reply = succeeds(served.ready(), Command.DEVICE_GET_INFO, Payload.deviceInfo(argsz));
            assertThat(reply.payload()).isEqualTo(Bytes.none().u32(Payload.DEVICE_INFO, PCI | RESET, REGIONS, IRQS).array());
            served.hangUp();
        }
    }
}
