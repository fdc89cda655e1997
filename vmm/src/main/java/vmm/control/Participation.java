// SPDX-License-Identifier: Apache-2.0
package vmm.control;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.pci.api.admin.Whereabouts;
import vmm.Outgoing;
import vmm.channel.UnixLink;

/// A VMM's place at a runtime's control socket, from [#register] until it is closed or the runtime goes. A thread reads orders; each is
/// carried out by a thread of its own, so that it can be cancelled.
public final class Participation implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Participation.class.getName());
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long NOTHING = -1;

    private final UnixLink link;
    private final Orders orders;
    /// Guarded by this, as what follows.
    private long order = NOTHING;
    private Outgoing running;
    private boolean cancelled;

    private Participation(UnixLink link, Orders orders) {
        this.link = link;
        this.orders = orders;
    }

    /// Takes part, for devices that this process is the client of.
    ///
    /// @param name what this VMM calls itself
    /// @param devices of its machine
    /// @throws VfioException ENOENT or ECONNREFUSED when no runtime listens there; ECANCELED with its reason when it refuses
    public static Participation register(Path socket, String name, List<PciAddress> devices, Orders orders) throws VfioException {
        UnixLink link = UnixLink.over(UnixSocket.connect(socket, PATIENCE), Duration.ZERO);
        boolean registered = false;
        try {
            ControlMessage.of(Verb.REGISTER).with("version", ControlMessage.VERSION).with("name", name)
                .with("devices", devices.stream().map(PciAddress::toString).collect(Collectors.joining(","))).send(link);
            ControlMessage answer = ControlMessage.receive(link);
            if (answer.verb() != Verb.REGISTERED) {
                throw new VfioException(Errno.ECANCELED, "the runtime refuses: " + answer.text("reason"));
            }
            registered = true;
        } finally {
            if (!registered) {
                link.close();
            }
        }
        var participation = new Participation(link, orders);
        Thread.ofPlatform().daemon().name("vmm-orders").start(participation::read);
        return participation;
    }

    private void read() {
        try {
            while (true) {
                ControlMessage message = ControlMessage.receive(link);
                switch (message.verb()) {
                    case MIGRATE -> begin(message.number("order"), message.order());
                    case CANCEL -> cancel(message.number("order"));
                    default -> throw new VfioException(Errno.EPROTO, "verb=%s expected=MIGRATE or CANCEL".formatted(message.verb()));
                }
            }
        } catch (VfioException e) {
            // What is under way goes on: who is to be told has gone, the machine has not.
            LOG.log(Level.DEBUG, "control socket: {0}", e);
        } finally {
            link.close();
        }
    }

    private void begin(long number, MigrationOrder wanted) {
        synchronized (this) {
            if (order != NOTHING) {
                tell(ControlMessage.result(number, MigrationOutcome.nothing(Whereabouts.SOURCE, "it is being moved already")));
                return;
            }
            order = number;
            cancelled = false;
        }
        Thread.ofPlatform().daemon().name("vmm-move").start(() -> carryOut(number, wanted));
    }

    private void carryOut(long number, MigrationOrder wanted) {
        MigrationOutcome outcome;
        try {
            Outgoing move = orders.begin(wanted, told(number));
            synchronized (this) {
                running = move;
                if (cancelled) {
                    move.cancel();
                }
            }
            outcome = move.run();
        } catch (VfioException e) {
            outcome = MigrationOutcome.nothing(Whereabouts.SOURCE, e.toString());
        }
        orders.ended(outcome);
        synchronized (this) {
            running = null;
            order = NOTHING;
            tell(ControlMessage.result(number, outcome));
        }
    }

    private Consumer<MigrationProgress> told(long number) {
        return progress -> tell(ControlMessage.progress(number, progress));
    }

    private synchronized void tell(ControlMessage message) {
        try {
            message.send(link);
        } catch (VfioException e) {
            LOG.log(Level.DEBUG, "control socket: {0}", e);
        }
    }

    private synchronized void cancel(long number) {
        if (number == order) {
            cancelled = true;
            if (running != null) {
                running.cancel();
            }
        }
    }

    /// Takes part no more. What is under way goes on.
    @Override
    public void close() {
        link.close();
    }
}
