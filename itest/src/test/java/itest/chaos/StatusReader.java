// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.nio.file.Path;
import java.util.Optional;
import linux.sys.EventFd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionIndex;

/** A client of a virtual function over a socket, which reads how far its reset is, until the server hangs up. */
final class StatusReader {
    private static final long VFGEN_RSTAT = 0x8800;
    private static final long VFACTIVE = 2;

    private final RawClient client;
    private final EventFd error;
    private final Thread thread;
    private volatile long answers;
    private volatile Throwable failure;

    /** Connects, and asks to be told of errors. */
    StatusReader(Path socket) throws VfioException {
        client = RawClient.connect(socket);
        error = EventFd.create();
        if (client.call(Command.VERSION, Payload.version(Payload.QEMU)).isError() || client.call(Command.DEVICE_SET_IRQS,
            Payload.irqSet(Command.DATA_EVENTFD | Command.TRIGGER, IrqIndex.ERR, 0, 1), error.fd()).isError()) {
            throw new AssertionError("the server refuses");
        }
        thread = Thread.ofPlatform().name("chaos-status").daemon().start(this::run);
    }

    /** Reads that were answered. */
    long answers() {
        return answers;
    }

    /** Whether it was told of an error. */
    boolean toldOfError() {
        return error.read() > 0;
    }

    /** Waits for its end, by the server, and says what was wrong. */
    Optional<String> verdict() throws InterruptedException {
        thread.join(ChaosIT.PATIENCE.toMillis());
        boolean ended = !thread.isAlive();
        client.close();
        error.close();
        return ended ? Optional.ofNullable(failure).map(Throwable::toString) : Optional.of("the server does not hang up");
    }

    private void run() {
        try {
            while (true) {
                int id = client.nextId();
                client.trySend(Message.encode(id, Command.REGION_READ, 0,
                    Payload.access(VFGEN_RSTAT, RegionIndex.BAR0, Integer.BYTES).array()));
                Optional<Message> reply = client.next(RawClient.PATIENCE);
                if (reply.isEmpty() && client.hasEnded()) {
                    return;
                }
                check(reply.orElseThrow(() -> new AssertionError("the server says nothing")), id);
            }
        } catch (RuntimeException | Error e) { // checkstyle: allow IllegalCatch: it is told in the end
            failure = e;
        }
    }

    private void check(Message reply, int id) {
        boolean right = reply.isError() ? reply.errno() == Errno.ENODEV.value() : reply.u32(Payload.REGION_ACCESS) == VFACTIVE;
        if (reply.id() != id || !right) {
            throw new AssertionError("asked id=0x%x, got %s".formatted(id, reply));
        }
        answers++;
    }
}
