// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.mediators.Chaotic;
import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import linux.sys.EventFd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionIndex;

/**
 * A client of a counted device over a socket, a thread of its own, with several requests on their way at a time. It goes on until it is
 * ended, or the server hangs up; what it was not answered until then must not have been done.
 */
final class SocketThread {
    private static final int AT_ONCE = 8;

    private final CountedFunction device;
    private final int number;
    private final RawClient client;
    private final EventFd error;
    private final Thread thread;
    private final Deque<Asked> asked = new ArrayDeque<>();
    private volatile boolean ending;
    private volatile Throwable failure;
    private volatile long answers;
    private long written;
    private long taken;
    private long refused;

    private record Asked(int id, int command) {
    }

    /** Connects, and asks to be told of errors. What was written and read before is gone on with. */
    SocketThread(CountedFunction device, int number, Path socket) throws VfioException {
        this.device = device;
        this.number = number;
        client = RawClient.connect(socket);
        error = EventFd.create();
        if (client.call(Command.VERSION, Payload.version(Payload.QEMU)).isError() || client.call(Command.DEVICE_SET_IRQS,
            Payload.irqSet(Command.DATA_EVENTFD | Command.TRIGGER, IrqIndex.ERR, 0, 1), error.fd()).isError()) {
            throw new AssertionError("the server refuses " + number);
        }
        written = device.writes(number);
        taken = device.reads(number);
        thread = Thread.ofPlatform().name("chaos-socket-" + device.address()).daemon().start(this::run);
    }

    /** Requests that were answered. */
    long answers() {
        return answers;
    }

    /** How many requests were refused as the device went. For when it has ended. */
    long refused() {
        return refused;
    }

    /** Whether it was told of an error. */
    boolean toldOfError() {
        return error.read() > 0;
    }

    boolean hasEnded() {
        return !thread.isAlive();
    }

    /** Has it end after its requests are answered. */
    void end() {
        ending = true;
    }

    /** Hangs up when it has ended, and says what was wrong. */
    Optional<String> verdict() throws InterruptedException {
        thread.join(ChaosIT.PATIENCE.toMillis());
        if (thread.isAlive()) {
            return Optional.of(thread.getName() + " hangs");
        }
        client.close();
        error.close();
        if (failure != null) {
            return Optional.of(thread.getName() + ": " + failure);
        }
        return device.writes(number) == written && device.reads(number) == taken ? Optional.empty()
            : Optional.of("%s was answered %d writes and %d reads, the device counted %d and %d".formatted(thread.getName(), written, taken,
                device.writes(number), device.reads(number)));
    }

    private void run() {
        try {
            while (!ending) {
                long next = written;
                for (int i = 0; i < AT_ONCE / 2; i++) {
                    post(Command.REGION_WRITE, access(Chaotic.WRITTEN).u64(++next));
                    post(Command.REGION_READ, access(Chaotic.TAKEN));
                }
                while (!asked.isEmpty()) {
                    Optional<Message> reply = client.next(RawClient.PATIENCE);
                    if (reply.isEmpty() && client.hasEnded()) {
                        return;
                    }
                    answered(reply.orElseThrow(() -> new AssertionError("the server says nothing")));
                }
            }
        } catch (RuntimeException | Error e) { // checkstyle: allow IllegalCatch: it is told in the end
            failure = e;
        }
    }

    private Bytes access(int register) {
        return Payload.access((long) number * Chaotic.STRIDE + register, RegionIndex.BAR0, Long.BYTES);
    }

    private void post(int command, Bytes payload) {
        int id = client.nextId();
        asked.add(new Asked(id, command));
        client.trySend(Message.encode(id, command, 0, payload.array()));
    }

    private void answered(Message reply) {
        Asked first = asked.remove();
        if (reply.id() != first.id() || reply.command() != first.command()) {
            throw new AssertionError("asked %s, got %s".formatted(first, reply));
        }
        if (reply.errno() == Errno.ENODEV.value()) {
            refused++;
            return;
        }
        if (refused > 0 || reply.isError()) {
            throw new AssertionError("%s after %d refusals".formatted(reply, refused));
        }
        answers++;
        if (first.command() == Command.REGION_WRITE) {
            written++;
        } else if ((reply.u64(Payload.REGION_ACCESS) & CountedFunction.COUNT_MASK) != ++taken) {
            throw new AssertionError("reads=0x%x expected=0x%x".formatted(reply.u64(Payload.REGION_ACCESS), taken));
        }
    }
}
