// SPDX-License-Identifier: Apache-2.0
package vfio.migrate;

import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigratingClient;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vmm.channel.Link;
import vmm.control.ControlMessage;
import vmm.control.Verb;

/// A VMM that takes part: a thread of its own reads what it says, those who order wait for it. Its lock is this; nobody waits holding it.
final class Mover {
    private static final long NOTHING = -1;
    /// What was said and not yet taken; progress beyond that is dropped.
    private static final int KEPT = 64;
    private static final long LOOK_MILLIS = 1000;
    /// A VMM that moves its machine says something every second or so.
    private static final int MOST_SILENT_LOOKS = 60;

    private final Link link;
    private final String name;
    private final long process;
    private final List<PciAddress> devices;
    private final BlockingQueue<ControlMessage> said = new ArrayBlockingQueue<>(KEPT);
    private volatile boolean gone;
    private volatile String last = "";
    private long order = NOTHING;
    private long orders;

    Mover(Link link, String name, long process, List<PciAddress> devices) {
        this.link = link;
        this.name = name;
        this.process = process;
        this.devices = List.copyOf(devices);
    }

    List<PciAddress> devices() {
        return devices;
    }

    long process() {
        return process;
    }

    MigratingClient status() {
        return new MigratingClient(name, process, devices, last);
    }

    /// Takes what it says until it has gone. By its thread.
    ///
    /// @throws VfioException how that came about
    void read() throws VfioException {
        try {
            while (true) {
                ControlMessage message = ControlMessage.receive(link);
                switch (message.verb()) {
                    case PROGRESS -> {
                        MigrationProgress progress = message.progress();
                        if (current(message)) {
                            last = "%s, round %d".formatted(progress.step(), progress.round());
                            said.offer(message);
                        }
                    }
                    case RESULT -> {
                        message.outcome();
                        if (current(message)) {
                            keep(message);
                        }
                    }
                    default -> throw new VfioException(Errno.EPROTO, "verb=%s expected=PROGRESS or RESULT".formatted(message.verb()));
                }
            }
        } finally {
            gone = true;
        }
    }

    private synchronized boolean current(ControlMessage message) throws VfioException {
        return order == message.number("order");
    }

    /// A result is not lost for progress that nobody has taken.
    private void keep(ControlMessage result) {
        while (!said.offer(result)) {
            said.poll();
        }
    }

    /// Has it move its machine, and waits until it says how that ended.
    ///
    /// @throws VfioException as [vfio.pci.api.admin.MigrateAdmin#migrate]
    MigrationOutcome move(MigrationOrder wanted, Consumer<MigrationProgress> watcher) throws VfioException {
        long number;
        synchronized (this) {
            if (order != NOTHING) {
                throw new VfioException(Errno.EBUSY, "devices=%s expected=a machine that is not being moved".formatted(devices));
            }
            number = ++orders;
            order = number;
            said.clear();
        }
        try {
            ControlMessage message = ControlMessage.migrate(number, wanted);
            synchronized (link) {
                message.send(link);
            }
            return await(watcher);
        } catch (InterruptedException e) {
            cancel();
            Thread.currentThread().interrupt();
            throw new VfioException(Errno.ECANCELED, "devices=%s interrupted: the move is being cancelled".formatted(devices));
        } finally {
            synchronized (this) {
                order = NOTHING;
                last = "";
            }
        }
    }

    private MigrationOutcome await(Consumer<MigrationProgress> watcher) throws VfioException, InterruptedException {
        int silent = 0;
        while (true) {
            ControlMessage message = said.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            silent = message == null ? silent + 1 : 0;
            if (message == null) {
                if (silent > MOST_SILENT_LOOKS) {
                    throw new VfioException(Errno.ETIMEDOUT, "client=%s process=%d says nothing; only it knows what came of the move"
                        .formatted(name, process));
                }
                if (gone && said.isEmpty()) {
                    throw new VfioException(Errno.ECONNRESET, "client=%s process=%d went before it said how the move ended".formatted(name,
                        process));
                }
            } else if (message.verb() == Verb.RESULT) {
                return message.outcome();
            } else {
                watcher.accept(message.progress());
            }
        }
    }

    /// Has it end what it was told.
    ///
    /// @throws VfioException ENOENT when that is nothing
    void cancel() throws VfioException {
        long number;
        synchronized (this) {
            number = order;
        }
        if (number == NOTHING) {
            throw new VfioException(Errno.ENOENT, "devices=%s expected=a machine that is being moved".formatted(devices));
        }
        synchronized (link) {
            ControlMessage.of(Verb.CANCEL).with("order", number).send(link);
        }
    }
}
