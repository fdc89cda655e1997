// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

/// DEVICE_SET_IRQS with events that mask and unmask.
class MaskEventsTest {
    private static final int EINVAL = 22;
    private static final int NONE_TRIGGER = 1 | 0x20;
    private static final int MASK = 4 | 8;
    private static final int UNMASK = 4 | 0x10;
    private static final int INTX = 0;
    private static final int MSIX = 2;
    private static final String MASKED = "mask index=0 start=0 count=1";
    private static final String UNMASKED = "unmask index=0 start=0 count=1";

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    private static int set(RawClient client, int flags, int index, int start, int count, OwnedFd... fds) {
        return client.call(RawClient.SET_IRQS, Bytes.of().u32(20, flags, index, start, count), fds).errno();
    }

    private static void awaitDescriptors(int count) {
        ServerFixture.await("the descriptors are closed", () -> ServerFixture.descriptors().size() <= count);
    }

    @Test
    void rejectsWhatCannotBeMaskedOrDoesNotFit() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create(); Fd file = Memfd.create("file", 4096, false)) {
            TestDevice device = fixture.pci.next();
            int before = ServerFixture.descriptors().size();
            event.signal();
            for (int flags : new int[] {MASK, UNMASK}) {
                assertThat(set(client, flags, MSIX, 0, 1, event.fd())).as("not maskable").isEqualTo(EINVAL);
                assertThat(set(client, flags, MSIX, 0, 1)).as("not maskable").isEqualTo(EINVAL);
                assertThat(set(client, flags, MSIX, 0, 0)).as("not maskable").isEqualTo(EINVAL);
                assertThat(set(client, flags, INTX, 0, 2, event.fd(), event.fd())).as("one vector").isEqualTo(EINVAL);
                assertThat(set(client, flags, INTX, 1, 1, event.fd())).as("vector 0 alone").isEqualTo(EINVAL);
                assertThat(set(client, flags, INTX, 1, 0)).isEqualTo(EINVAL);
                assertThat(set(client, flags, INTX, 0, 1, event.fd(), event.fd())).as("too many").isEqualTo(EINVAL);
                assertThat(set(client, flags, INTX, 0, 0, event.fd())).as("one too many").isEqualTo(EINVAL);
                assertThat(set(client, flags, INTX, 0, 1, file)).as("no eventfd").isEqualTo(EINVAL);
            }
            awaitDescriptors(before);
            assertThat(device.calls).isEmpty();
        }
    }

    @Test
    void goesOnAfterAnEventThatFailed() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            device.maskFailure = Errno.EBUSY;
            assertThat(set(client, MASK, INTX, 0, 1, event.fd())).isZero();
            for (int i = 1; i <= 3; i++) {
                event.signal();
                int times = i;
                ServerFixture.await("it was tried", () -> device.calls.size() == times);
            }
            assertThat(client.call(RawClient.DEVICE_RESET, Bytes.of()).errno()).isZero();
        }
    }

    @Test
    void masksAndUnmasksWheneverTheEventIsSignalled() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd mask = EventFd.create(); EventFd unmask = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            unmask.signal();
            assertThat(set(client, UNMASK, INTX, 0, 1, unmask.fd())).isZero();
            ServerFixture.await("an event that was there already counts", () -> device.calls.equals(List.of(UNMASKED)));
            assertThat(set(client, MASK, INTX, 0, 1, mask.fd())).isZero();
            for (int i = 1; i < 100; i++) {
                int times = 2 * i;
                mask.signal();
                ServerFixture.await("masked", () -> device.calls.size() == times && device.calls.getLast().equals(MASKED));
                unmask.signal();
                ServerFixture.await("unmasked", () -> device.calls.size() == times + 1 && device.calls.getLast().equals(UNMASKED));
            }
        }
    }

    @Test
    void takesEventsAway() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd mask = EventFd.create(); EventFd unmask = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            int before = ServerFixture.descriptors().size();
            // flags, count: of one vector, of all, of the whole index
            int[][] ways = {{UNMASK, 1}, {UNMASK, 0}, {NONE_TRIGGER, 0}};
            for (int[] way : ways) {
                assertThat(set(client, MASK, INTX, 0, 1, mask.fd())).isZero();
                assertThat(set(client, UNMASK, INTX, 0, 1, unmask.fd())).isZero();
                assertThat(set(client, way[0], INTX, 0, way[1])).isZero();
                boolean all = way[0] == NONE_TRIGGER;
                awaitDescriptors(before + (all ? 0 : 1));
                device.calls.clear();
                unmask.signal();
                mask.signal();
                if (!all) {
                    ServerFixture.await("the other is left", () -> device.calls.equals(List.of(MASKED)));
                    assertThat(set(client, MASK, INTX, 0, 1)).isZero();
                    awaitDescriptors(before);
                }
                assertThat(device.calls).doesNotContain(UNMASKED);
                assertThat(unmask.read()).as("left to whoever else has it").isEqualTo(1);
                mask.read();
            }
        }
    }

    @Test
    void holdsOneEventForAVector() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd first = EventFd.create(); EventFd last = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            int before = ServerFixture.descriptors().size();
            for (int i = 0; i < 200; i++) {
                assertThat(set(client, UNMASK, INTX, 0, 1, first.fd())).isZero();
            }
            assertThat(set(client, UNMASK, INTX, 0, 1, last.fd())).isZero();
            awaitDescriptors(before + 1);
            first.signal();
            last.signal();
            ServerFixture.await("unmasked", () -> device.calls.contains(UNMASKED));
            assertThat(first.read()).as("not looked at any more").isEqualTo(1);
            assertThat(device.calls).containsExactly(UNMASKED);
        }
    }

    @Test
    void closesEventsOfAClientThatLeaves() throws VfioException, InterruptedException {
        int before;
        TestDevice device;
        try (EventFd mask = EventFd.create(); EventFd unmask = EventFd.create()) {
            before = ServerFixture.descriptors().size();
            try (RawClient client = fixture.ready()) {
                device = fixture.pci.next();
                assertThat(set(client, MASK, INTX, 0, 1, mask.fd())).isZero();
                assertThat(set(client, UNMASK, INTX, 0, 1, unmask.fd())).isZero();
            }
            awaitDescriptors(before);
            ServerFixture.await("the device is closed", () -> device.closed);
            mask.signal();
            unmask.signal();
            assertThat(device.calls).doesNotContain(MASKED, UNMASKED, "closed out of order");
        }
    }
}
