// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DATA_BOOL;
import static itest.wire.Command.DATA_EVENTFD;
import static itest.wire.Command.DATA_NONE;
import static itest.wire.Command.DEVICE_SET_IRQS;
import static itest.wire.Command.MASK;
import static itest.wire.Command.TRIGGER;
import static itest.wire.Command.UNMASK;
import static org.assertj.core.api.Assertions.assertThat;

import itest.wire.Bytes;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.time.Duration;
import java.util.Arrays;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import linux.sys.UnixSocket;
import org.junit.Test;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/** DEVICE_SET_IRQS. */
public class SetIrqsIT extends CommandWithArgsz {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int ERR = 3;
    private static final int REQ = 4;

    public SetIrqsIT() {
        super(DEVICE_SET_IRQS);
    }

    /** Disables MSI-X. */
    @Override
    Bytes valid() {
        return Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, 0);
    }

    @Test
    public void rejectsFlagsThatAreNotOneKindOfDataAndOneAction() throws VfioException {
        RawClient client = served.ready();
        for (long flags : new long[] {0, DATA_NONE, TRIGGER, DATA_NONE | DATA_BOOL | TRIGGER, DATA_NONE | MASK | TRIGGER,
            DATA_NONE | TRIGGER | 64, 0x8000_0000L | DATA_NONE | TRIGGER, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(flags, MSIX, 0, 0));
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(flags, MSIX, 0, 1));
        }
    }

    @Test
    public void rejectsIndicesAndVectorsThatDoNotExist() throws VfioException {
        RawClient client = served.ready();
        for (long index : new long[] {IRQS, 0x7FFF_FFFFL, 0xFFFF_FFFFL}) {
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, index, 0, 0));
        }
        long[][] runs = {{0, VECTORS + 1}, {VECTORS, 1}, {VECTORS + 1, 0}, {1, VECTORS}, {0xFFFF_FFFFL, 1}, {1, 0xFFFF_FFFFL},
            {0x8000_0000L, 0x8000_0000L}, {0xFFFF_FFFFL, 0xFFFF_FFFFL}};
        for (long[] run : runs) {
            for (int data : new int[] {DATA_NONE, DATA_BOOL, DATA_EVENTFD}) {
                refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(data | TRIGGER, MSIX, run[0], run[1]));
            }
        }
    }

    @Test
    public void rejectsMarksThatAreTooFewOrTooMany() throws VfioException {
        RawClient client = served.ready();
        refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_BOOL | TRIGGER, MSIX, 0, 3).zeros(2));
        refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_BOOL | TRIGGER, MSIX, 0, 3).zeros(4));
        refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, 3).zeros(3));
    }

    @Test
    public void rejectsFewerOrMoreFilesThanVectors() throws VfioException {
        RawClient client = served.ready();
        try (EventFd eventFd = EventFd.create()) {
            OwnedFd one = eventFd.fd();
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 2), one);
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 2), one, one, one);
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 0), one);
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, 1), one);
            refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_BOOL | TRIGGER, MSIX, 0, 1).u8(1), one);
        }
    }

    @Test
    public void rejectsFilesThatAreNoEventfd() throws VfioException {
        RawClient client = served.ready();
        UnixSocket[] pair = UnixSocket.pair();
        try (EventFd eventFd = EventFd.create(); Fd memory = Memfd.create("no-eventfd", 4096, true); UnixSocket one = pair[0];
                UnixSocket other = pair[1]) {
            for (OwnedFd wrong : new OwnedFd[] {memory, one.fd(), other.fd()}) {
                refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 1), wrong);
                refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 2), eventFd.fd(), wrong);
                refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 2), wrong, eventFd.fd());
            }
        }
    }

    @Test
    public void rejectsMaskingByEventfdWhatCannotBeMasked() throws VfioException {
        RawClient client = served.ready();
        refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | MASK, MSIX, 0, 1));
        refuses(EINVAL, client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | UNMASK, MSIX, 0, 1));
    }

    @Test
    public void signalsTheVectorsThatAreFired() throws VfioException {
        RawClient client = served.ready();
        try (EventFd first = EventFd.create(); EventFd second = EventFd.create()) {
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 2), first.fd(), second.fd());
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_BOOL | TRIGGER, MSIX, 0, 2).u8(0, 1));
            assertThat(second.await(SOON)).isTrue();
            assertThat(second.read()).isEqualTo(1);
            assertThat(first.read()).as("its byte is 0").isZero();
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, 2));
            assertThat(first.await(SOON)).isTrue();
            assertThat(first.read()).isEqualTo(1);
            assertThat(second.read()).isEqualTo(1);
            Message reply = succeeds(client, DEVICE_SET_IRQS, valid());
            assertThat(reply.payload()).isEmpty();
            client.call(DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, 2));
            assertThat(first.read() + second.read()).as("the index is disabled").isZero();
        }
        serves(client);
    }

    /** As QEMU enables MSI-X: one vector without a file first, then vector by vector; then all at once, and away again. */
    @Test
    public void takesVectorsOneByOneAndAllAtOnce() throws VfioException {
        RawClient client = served.ready();
        try (EventFd eventFd = EventFd.create()) {
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, 1));
            for (int vector = 0; vector < VECTORS; vector++) {
                succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, vector, 1), eventFd.fd());
            }
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, VECTORS));
            assertThat(eventFd.read()).isEqualTo(VECTORS);
            OwnedFd[] all = new OwnedFd[VECTORS];
            Arrays.fill(all, eventFd.fd());
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 0, VECTORS), all);
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, MSIX, 1, 1));
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, MSIX, 0, VECTORS));
            assertThat(eventFd.read()).as("one was taken away").isEqualTo(VECTORS - 1);
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, ERR, 0, 1), eventFd.fd());
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_EVENTFD | TRIGGER, REQ, 0, 1), eventFd.fd());
            succeeds(client, DEVICE_SET_IRQS, Payload.irqSet(DATA_NONE | TRIGGER, ERR, 0, 1));
            assertThat(eventFd.await(SOON)).isTrue();
        }
        serves(client);
    }
}
