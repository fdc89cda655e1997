// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;

class SetIrqsTest {
    private static final int EBUSY = 16;
    private static final int EINVAL = 22;
    private static final int NONE = 1;
    private static final int BOOL = 2;
    private static final int EVENTFD = 4;
    private static final int MASK = 8;
    private static final int UNMASK = 0x10;
    private static final int TRIGGER = 0x20;

    @RegisterExtension
    final ServerFixture fixture = new ServerFixture();

    @Test
    void rejectsWhatMakesNoSense() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            // flags, index, start, count
            long[][] bad = {{0, 2, 0, 1}, {NONE, 2, 0, 1}, {TRIGGER, 2, 0, 1}, {NONE | BOOL | TRIGGER, 2, 0, 1},
                {NONE | MASK | UNMASK, 2, 0, 1}, {NONE | TRIGGER | 0x40, 2, 0, 1}, {NONE | TRIGGER, 6, 0, 1},
                {NONE | TRIGGER, 0xFFFFFFFFL, 0, 1}, {NONE | TRIGGER, 2, 20, 1}, {NONE | TRIGGER, 2, 19, 2}, {NONE | TRIGGER, 2, 21, 0},
                {NONE | TRIGGER, 2, 0xFFFFFFFFL, 1}, {NONE | TRIGGER, 2, 1, 0xFFFFFFFFL}, {NONE | TRIGGER, 2, 5, 0}, {NONE | MASK, 0, 0, 0},
                {NONE | UNMASK, 0, 0, 0}, {BOOL | TRIGGER, 2, 0, 0}, {BOOL | TRIGGER, 2, 0, 2}, {EVENTFD | TRIGGER, 2, 0, 0},
                {EVENTFD | TRIGGER, 1, 0, 1}, {EVENTFD | TRIGGER, 2, 0, 21}};
            for (long[] set : bad) {
                assertThat(client.call(RawClient.SET_IRQS, Bytes.of().u32(20, set[0], set[1], set[2], set[3])).errno())
                    .as(Arrays.toString(set)).isEqualTo(EINVAL);
            }
            assertThat(client.call(RawClient.SET_IRQS, Bytes.of().u32(20, NONE | TRIGGER, 2, 0)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, Bytes.of().u32(19, NONE | TRIGGER, 2, 0, 1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(NONE | TRIGGER, 2, 0, 1).u8(1)).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(BOOL | TRIGGER, 2, 0, 2).u8(1, 1, 1)).errno()).isEqualTo(EINVAL);
            assertThat(fixture.pci.next().calls).isEmpty();
        }
    }

    @Test
    void rejectsAndClosesDescriptorsThatDoNotFit() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create(); Fd file = Memfd.create("file", 4096, false)) {
            TestDevice device = fixture.pci.next();
            int before = ServerFixture.descriptors().size();
            OwnedFd fd = event.fd();
            assertThat(client.call(RawClient.SET_IRQS, set(NONE | TRIGGER, 2, 0, 1), fd).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(BOOL | TRIGGER, 2, 0, 1).u8(1), fd).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 2), fd).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 1), fd, fd).errno()).isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 1), file).errno()).as("no eventfd").isEqualTo(EINVAL);
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 3), fd, fd, file).errno()).isEqualTo(EINVAL);
            assertThat(device.calls).isEmpty();
            ServerFixture.await("the descriptors are closed", () -> ServerFixture.descriptors().size() <= before);
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 4, 0, 1), fd).errno()).as("of another").isEqualTo(EBUSY);
            ServerFixture.await("this one too", () -> ServerFixture.descriptors().size() <= before);
        }
    }

    @Test
    void givesVectorsToEventfds() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd one = EventFd.create(); EventFd two = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 3, 2), one.fd(), two.fd()).errno()).isZero();
            device.trigger(2, 4).signal();
            assertThat(two.read()).isEqualTo(1);
            assertThat(one.read()).isZero();
            device.trigger(2, 3).signal();
            assertThat(one.read()).isEqualTo(1);
        }
    }

    @Test
    void takesAsManyAsOneMessageMayBring() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            List<EventFd> events = new ArrayList<>();
            for (int i = 0; i < 17; i++) {
                events.add(EventFd.create());
            }
            OwnedFd[] all = events.stream().map(EventFd::fd).toArray(OwnedFd[]::new);
            int before = ServerFixture.descriptors().size();
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 17), all).errno()).isEqualTo(EINVAL);
            ServerFixture.await("the descriptors are closed", () -> ServerFixture.descriptors().size() <= before);
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 4, 16), Arrays.copyOf(all, 16)).errno()).isZero();
            for (int i = 0; i < 16; i++) {
                device.trigger(2, 4 + i).signal();
                assertThat(events.get(i).read()).isEqualTo(1);
            }
            events.forEach(EventFd::close);
        }
    }

    @Test
    void enablesWithoutADescriptorAsQemuDoes() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 1)).errno()).isZero();
            assertThat(client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 2, 0, 1), event.fd()).errno()).isZero();
            assertThat(client.call(RawClient.SET_IRQS, set(NONE | TRIGGER, 2, 0, 0)).errno()).isZero();
            assertThat(device.calls).containsExactly("set index=2 start=0 count=1", "set index=2 start=0 count=1", "disable index=2");
        }
    }

    @Test
    void firesMasksAndUnmasks() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            TestDevice device = fixture.pci.next();
            client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 0, 0, 1), event.fd());
            assertThat(client.call(RawClient.SET_IRQS, set(NONE | MASK, 0, 0, 1)).errno()).isZero();
            assertThat(client.call(RawClient.SET_IRQS, set(NONE | UNMASK, 0, 0, 1)).errno()).isZero();
            assertThat(client.call(RawClient.SET_IRQS, set(NONE | TRIGGER, 0, 0, 1)).errno()).isZero();
            assertThat(event.read()).isEqualTo(1);
            assertThat(device.calls).containsExactly("set index=0 start=0 count=1", "mask index=0 start=0 count=1",
                "unmask index=0 start=0 count=1", "fire index=0 start=0 count=1");
        }
    }

    @Test
    void takesBooleansAsRuns() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready()) {
            TestDevice device = fixture.pci.next();
            assertThat(client.call(RawClient.SET_IRQS, set(BOOL | TRIGGER, 2, 4, 7).u8(1, 2, 0, 0, 1, 0, 0xFF)).errno()).isZero();
            assertThat(client.call(RawClient.SET_IRQS, set(BOOL | MASK, 2, 0, 2).u8(0, 0)).errno()).isZero();
            assertThat(device.calls).containsExactly("fire index=2 start=4 count=2", "fire index=2 start=8 count=1",
                "fire index=2 start=10 count=1");
        }
    }

    @Test
    void givesUpEventfdsOfAClientThatLeaves() throws VfioException, InterruptedException {
        try (RawClient client = fixture.ready(); EventFd event = EventFd.create()) {
            client.call(RawClient.SET_IRQS, set(EVENTFD | TRIGGER, 3, 0, 1), event.fd());
        }
        TestDevice device = fixture.pci.next();
        ServerFixture.await("the device is closed", () -> device.closed);
        assertThat(device.triggers).isEmpty();
    }

    private static Bytes set(int flags, int index, int start, int count) {
        return Bytes.of().u32(20, flags, index, start, count);
    }
}
