// SPDX-License-Identifier: Apache-2.0
package itest.protocol;

import static itest.wire.Command.DEVICE_GET_REGION_INFO;
import static itest.wire.Command.DEVICE_SET_IRQS;
import static itest.wire.Command.DMA_MAP;
import static itest.wire.Command.DMA_UNMAP;
import static itest.wire.Command.READABLE;
import static itest.wire.Command.REGION_READ;
import static itest.wire.Command.VERSION;
import static itest.wire.Command.WRITABLE;
import static org.assertj.core.api.Assertions.assertThat;

import itest.Await;
import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Defects;
import itest.wire.Footprint;
import itest.wire.Held;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.time.Duration;
import java.util.Arrays;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.Test;
import vfio.pci.api.VfioException;

/**
 * Connections that come and go, wherever they are when they go, and mappings that come and go. Afterwards the process takes up what it did
 * before. With {@code -Dvfio.nightly=true} as many as it takes, else a part of them.
 */
public class ManyConnectionsIT extends OverSocket {
    private static final boolean NIGHTLY = Boolean.getBoolean("vfio.nightly");
    private static final int CONNECTIONS = 1000;
    private static final int MAPPINGS = NIGHTLY ? 100_000 : 10_000;
    private static final int WARM_UP = 20;
    private static final int SIZE = 0x4000;
    private static final int AT_ONCE = 50;

    /** How far a client gets. */
    private enum Stage {
        CONNECTED, HALF_A_HEADER, HALF_A_VERSION, VERSION_SENT, VERSION_ANSWERED, MAPPED, WITH_INTERRUPTS, ANSWER_NOT_READ, HALF_A_WRITE,
        HALF_OF_ONE_WITH_FILES, POSTED, WITH_FILE
    }

    @Test
    public void connectionsLeaveNothingWhereverTheyEnd() throws Exception {
        try (Defects defects = new Defects(); Fd memory = Memfd.create("stages", SIZE, false); EventFd eventFd = EventFd.create()) {
            Held idle = Held.now();
            goThroughStages(WARM_UP * Stage.values().length, memory, eventFd);
            awaitHeld(idle);
            Footprint before = Footprint.now();
            goThroughStages(CONNECTIONS, memory, eventFd);
            awaitHeld(idle);
            Footprint.now().requireNoMoreThan(before);
            defects.requireNone();
        }
        serves(served.ready());
        served.hangUp();
        Await.until("idle threads have ended", () -> Held.nowWithIdleThreads().counts().keySet().stream()
            .noneMatch(name -> name.startsWith("thread vfio-user-worker")));
    }

    private static void awaitHeld(Held idle) throws Exception {
        Await.until("nothing is left", Duration.ofSeconds(20), () -> Held.now().beyond(idle).isEmpty());
    }

    private void goThroughStages(int connections, Fd memory, EventFd eventFd) throws VfioException {
        Stage[] stages = Stage.values();
        for (int i = 0; i < connections; i++) {
            try (RawClient client = RawClient.connect(served.path())) {
                goTo(stages[i % stages.length], client, memory, eventFd);
            }
        }
    }

    private static void goTo(Stage stage, RawClient client, Fd memory, EventFd eventFd) {
        byte[] version = Message.encode(1, VERSION, 0, Payload.version(Payload.QEMU).array());
        switch (stage) {
            case CONNECTED -> {
                return;
            }
            case HALF_A_HEADER -> client.send(Arrays.copyOf(version, Message.HEADER / 2));
            case HALF_A_VERSION -> client.send(Arrays.copyOf(version, version.length / 2), eventFd.fd());
            default -> client.send(version);
        }
        if (stage.ordinal() <= Stage.VERSION_SENT.ordinal()) {
            return;
        }
        assertThat(client.replyTo(1, VERSION).errno()).isZero();
        byte[] map = Message.encode(2, DMA_MAP, 0, Payload.dmaMap(READABLE | WRITABLE, 0, 0, SIZE).array());
        Bytes write = Payload.access(KEEPS, BAR0, 4).u32(1);
        switch (stage) {
            case MAPPED -> {
                client.send(map, memory);
                assertThat(client.replyTo(2, DMA_MAP).errno()).isZero();
            }
            case WITH_INTERRUPTS -> succeeds(client, DEVICE_SET_IRQS,
                Payload.irqSet(Command.DATA_EVENTFD | Command.TRIGGER, MSIX, 0, 2), eventFd.fd(), eventFd.fd());
            case ANSWER_NOT_READ -> {
                for (int i = 0; i < 64; i++) {
                    client.post(REGION_READ, 0, Payload.access(0, BAR0, 0x8000));
                }
            }
            case HALF_A_WRITE -> client.send(Arrays.copyOf(Message.encode(3, Command.REGION_WRITE, 0, write.array()), 30));
            case HALF_OF_ONE_WITH_FILES -> client.send(Arrays.copyOf(map, map.length - 1), memory, eventFd.fd());
            case POSTED -> client.post(Command.REGION_WRITE, Message.NO_REPLY, write);
            case WITH_FILE -> succeeds(client, DEVICE_GET_REGION_INFO, Payload.regionInfo(0x1000, BAR0)).fds().forEach(Fd::close);
            default -> {
            }
        }
    }

    @Test
    public void mappingsThatComeAndGoLeaveNothing() throws Exception {
        try (Defects defects = new Defects(); Fd sealed = Memfd.create("cycles-sealed", SIZE, true);
                Fd unsealed = Memfd.create("cycles", SIZE, false)) {
            RawClient client = served.ready();
            cycle(client, 10 * AT_ONCE, sealed, unsealed);
            Footprint before = Footprint.now();
            cycle(client, MAPPINGS, sealed, unsealed);
            // While it is busy a client has a thread of its own.
            Await.until("nothing is left", Duration.ofSeconds(20), () -> Held.now().beyond(before.held()).isEmpty());
            Footprint.now().requireNoMoreThan(before);
            defects.requireNone();
            serves(client);
        }
    }

    /** Some at once, pipelined; then away, one by one or all together. */
    private static void cycle(RawClient client, int count, Fd sealed, Fd unsealed) {
        for (int done = 0; done < count; done += AT_ONCE) {
            int first = client.nextId();
            for (int i = 0; i < AT_ONCE; i++) {
                byte[] map = Message.encode(first + i & 0xFFFF, DMA_MAP, 0,
                    Payload.dmaMap(READABLE | WRITABLE | (i % 5 == 4 ? 8 : 0), 0, (long) i * SIZE, SIZE).array());
                if (i % 5 == 3) {
                    client.send(map);
                } else {
                    client.send(map, i % 5 == 0 ? sealed : unsealed);
                }
            }
            for (int i = 0; i < AT_ONCE; i++) {
                assertThat(client.replyTo(first + i & 0xFFFF, DMA_MAP).errno()).isZero();
            }
            if (done / AT_ONCE % 2 == 0) {
                succeeds(client, DMA_UNMAP, Payload.dmaUnmap(2, 0, 0));
            } else {
                int[] ids = new int[AT_ONCE];
                Arrays.setAll(ids, i -> client.post(DMA_UNMAP, 0, Payload.dmaUnmap(0, (long) i * SIZE, SIZE)));
                for (int id : ids) {
                    assertThat(client.replyTo(id, DMA_UNMAP).errno()).isZero();
                }
            }
        }
    }
}
