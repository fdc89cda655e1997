// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DEVICE_FEATURE;
import static itest.wire.Command.DMA_READ;
import static itest.wire.Command.DMA_WRITE;
import static itest.wire.Command.FEATURE_GET;
import static itest.wire.Command.FEATURE_PROBE;
import static itest.wire.Command.FEATURE_SET;
import static itest.wire.Command.MIG_DATA_READ;
import static itest.wire.Command.MIG_DATA_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import org.junit.Test;
import vfio.pci.api.VfioException;

/**
 * DEVICE_FEATURE, MIG_DATA_READ and MIG_DATA_WRITE of a device that has no such feature, and commands that a client may not send or that
 * nobody knows.
 */
public class FeaturesIT extends OverSocket {
    /** VFIO_DEVICE_FEATURE_MIGRATION. */
    private static final int MIGRATION = 1;

    @Test
    public void rejectsFeatureRequestsOutOfShape() throws VfioException {
        RawClient client = served.ready();
        for (int length = 0; length < Payload.FEATURE; length++) {
            refuses(EINVAL, client, DEVICE_FEATURE, Bytes.none().zeros(length));
        }
        for (long flags : new long[] {0, MIGRATION, MIGRATION | FEATURE_GET | FEATURE_SET, MIGRATION | FEATURE_GET | 1L << 19,
            MIGRATION | FEATURE_GET | 1L << 31, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, DEVICE_FEATURE, Payload.feature(Payload.FEATURE, flags));
        }
        refuses(EINVAL, client, DEVICE_FEATURE, Payload.feature(Payload.FEATURE - 1, MIGRATION | FEATURE_GET));
        refuses(EINVAL, client, DEVICE_FEATURE, Payload.feature(0, MIGRATION | FEATURE_GET));
    }

    @Test
    public void saysThatADeviceHasNoSuchFeature() throws VfioException {
        RawClient client = served.ready();
        for (int feature : new int[] {0, MIGRATION, 2, 3, 0x7FFF, 0xFFFF}) {
            for (int method : new int[] {FEATURE_GET, FEATURE_SET, FEATURE_PROBE | FEATURE_GET, FEATURE_PROBE | FEATURE_SET,
                FEATURE_PROBE | FEATURE_GET | FEATURE_SET}) {
                refuses(ENOTTY, client, DEVICE_FEATURE, Payload.feature(64, feature | method).zeros(56));
            }
        }
    }

    @Test
    public void hasNoMigrationDataWithoutTheFeature() throws VfioException {
        RawClient client = served.ready();
        for (int command : new int[] {MIG_DATA_READ, MIG_DATA_WRITE}) {
            for (Bytes payload : new Bytes[] {Bytes.none(), Bytes.none().u32(8), Payload.migData(8, 0), Payload.migData(16, 8).u64(1),
                Payload.migData(0xFFFF_FFFFL, 0xFFFF_FFFFL)}) {
                assertThat(client.call(command, payload).errno()).isIn(ENOTTY, EINVAL);
                serves(client);
            }
            refuses(ENOTTY, client, command, Payload.migData(16, 8));
        }
    }

    @Test
    public void rejectsCommandsThatAreTheServers() throws VfioException {
        RawClient client = served.ready();
        refuses(ENOTTY, client, DMA_READ, Payload.dmaAccess(0, 8));
        refuses(ENOTTY, client, DMA_WRITE, Payload.dmaAccess(0, 8).u64(1));
        refuses(ENOTTY, client, DMA_WRITE, Bytes.none());
    }

    @Test
    public void rejectsCommandsNobodyKnows() throws VfioException {
        RawClient client = served.ready();
        for (int command : new int[] {0, 14, Command.END, 20, 255, 0x100, 0x7FFF, 0x8000, 0xFFFF}) {
            refuses(ENOTTY, client, command, Bytes.none());
            refuses(ENOTTY, client, command, Payload.access(0, 0, 4));
            client.post(command, Message.NO_REPLY, Bytes.none());
            client.post(command, Message.REPLY, Bytes.none());
            serves(client);
        }
    }

    @Test
    public void rejectsAllOfThemBeforeVersion() throws VfioException {
        RawClient client = served.connect();
        for (int command : new int[] {0, DMA_READ, DMA_WRITE, DEVICE_FEATURE, MIG_DATA_READ, MIG_DATA_WRITE, 0xFFFF}) {
            assertThat(client.call(command, Bytes.none().zeros(16)).errno()).isEqualTo(EINVAL);
        }
        succeeds(client, Command.VERSION, Payload.version(Payload.QEMU));
        serves(client);
    }
}
