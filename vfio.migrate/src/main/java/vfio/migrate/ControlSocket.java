// SPDX-License-Identifier: Apache-2.0
package vfio.migrate;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vmm.channel.UnixLink;
import vmm.channel.UnixListening;
import vmm.control.ControlMessage;
import vmm.control.Verb;

/// Listens for VMMs: one thread accepts, one reads each of them. A VMM is taken for the client of its devices when it is the process that
/// has them open.
final class ControlSocket implements AutoCloseable {
    private static final Logger LOG = System.getLogger(ControlSocket.class.getName());
    /// How long a VMM may take to say who it is.
    private static final Duration REGISTRATION = Duration.ofSeconds(10);
    /// After that it may be silent as long as it likes.
    private static final Duration ANY_TIME = Duration.ofDays(365);
    private static final int MOST_DEVICES = 64;

    private final UnixListening listening;
    private final MoverRegistry registry;
    private final Owner owner;
    private final Set<UnixLink> links = ConcurrentHashMap.newKeySet();
    private final Semaphore places = new Semaphore(MoverRegistry.MOST);
    private volatile boolean closed;

    /// Who has a device open.
    @FunctionalInterface
    interface Owner {
        /// Requires that this process has it open.
        ///
        /// @throws VfioException ENODEV when there is no such function; EPERM when somebody else has it, or nobody
        void require(PciAddress device, long process) throws VfioException;
    }

    /// Listens from when this returns.
    ///
    /// @throws VfioException EADDRINUSE when somebody listens there
    ControlSocket(Path path, MoverRegistry registry, Owner owner) throws VfioException {
        this.registry = registry;
        this.owner = owner;
        listening = UnixListening.at(path, REGISTRATION);
        Thread.ofPlatform().daemon().name("vfio-migrate-accept").start(this::accept);
    }

    private void accept() {
        while (!closed) {
            try {
                UnixLink link = listening.accept();
                if (places.tryAcquire()) {
                    links.add(link);
                    Thread.ofPlatform().daemon().name("vfio-migrate-client").start(() -> serve(link));
                } else {
                    link.close();
                }
            } catch (VfioException e) {
                if (!closed) {
                    LOG.log(Level.WARNING, "a VMM is not let in: {0}", e);
                    // Most likely no descriptor is left: trying again at once would only spin.
                    pause();
                }
            }
        }
    }

    private void pause() {
        synchronized (this) {
            try {
                wait(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void serve(UnixLink link) {
        try (link) {
            Mover mover = register(link);
            try {
                mover.read();
            } finally {
                registry.remove(mover);
            }
        } catch (VfioException e) {
            LOG.log(Level.DEBUG, "{0}: {1}", link.peer(), e);
        } finally {
            links.remove(link);
            places.release();
        }
    }

    private Mover register(UnixLink link) throws VfioException {
        try {
            ControlMessage first = ControlMessage.receive(link);
            if (first.verb() != Verb.REGISTER || first.number("version") > ControlMessage.VERSION) {
                throw new VfioException(Errno.EPROTO, "verb=%s expected=REGISTER, version at most %d".formatted(first.verb(),
                    ControlMessage.VERSION));
            }
            long process = link.process();
            List<PciAddress> devices = devices(first.text("devices"));
            for (PciAddress device : devices) {
                owner.require(device, process);
            }
            Mover mover = new Mover(link, first.text("name").replaceAll("[^\\x20-\\x7E]", "?"), process, devices);
            registry.add(mover);
            boolean told = false;
            try {
                link.patience(ANY_TIME);
                ControlMessage.of(Verb.REGISTERED).send(link);
                told = true;
            } finally {
                if (!told) {
                    registry.remove(mover);
                }
            }
            return mover;
        } catch (VfioException e) {
            ControlMessage.of(Verb.REFUSED).with("reason", e).send(link);
            throw e;
        }
    }

    private static List<PciAddress> devices(String text) throws VfioException {
        List<PciAddress> devices = new ArrayList<>();
        for (String each : text.split(",", -1)) {
            try {
                devices.add(PciAddress.parse(each));
            } catch (IllegalArgumentException e) {
                throw new VfioException(Errno.EPROTO, e.getMessage());
            }
        }
        if (devices.size() > MOST_DEVICES) {
            throw new VfioException(Errno.EPROTO, "devices=%d expected=at most %d".formatted(devices.size(), MOST_DEVICES));
        }
        return devices;
    }

    @Override
    public void close() {
        closed = true;
        listening.close();
        links.forEach(UnixLink::close);
    }
}
