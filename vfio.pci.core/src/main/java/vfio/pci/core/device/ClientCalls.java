// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.PciAddress;
import vfio.pci.api.device.Client;
import vfio.pci.core.binding.Faults;

/// What a client in this process gave to be called: its events, and who is told when the device has gone. A client's bug must not stop what
/// the core is about: it is told in the log.
final class ClientCalls {
    private static final System.Logger LOG = System.getLogger(ClientCalls.class.getName());

    private final PciAddress address;
    private final Client client;
    private final Map<Integer, Event> events = new ConcurrentHashMap<>();
    private final AtomicInteger nextEvent = new AtomicInteger(1);
    private final Object goneLock = new Object();
    /// Guarded by the gone lock.
    private final List<Runnable> goneListeners = new ArrayList<>();
    private boolean gone;

    ClientCalls(PciAddress address, Client client) {
        this.address = address;
        this.client = client;
    }

    /// An event of the client's: good until the handle is closed, whoever keeps it.
    private final class Event implements Runnable {
        private volatile Optional<Runnable> target;

        Event(Runnable target) {
            this.target = Optional.of(target);
        }

        @Override
        public void run() {
            target.ifPresent(ClientCalls.this::tell);
        }

        void end() {
            target = Optional.empty();
        }
    }

    /// Gives an event its number.
    int register(Runnable event) {
        int id = nextEvent.getAndIncrement();
        events.put(id, new Event(event));
        return id;
    }

    Optional<Runnable> event(int id) {
        return Optional.ofNullable(events.get(id));
    }

    /// No event has an effect any more.
    void endEvents() {
        events.values().forEach(Event::end);
    }

    /// Has a listener called when the device goes, or at once when it has.
    void onGone(Runnable listener) {
        synchronized (goneLock) {
            if (!gone) {
                goneListeners.add(listener);
                return;
            }
        }
        tell(listener);
    }

    void tellGone() {
        List<Runnable> listeners;
        synchronized (goneLock) {
            gone = true;
            listeners = List.copyOf(goneListeners);
            goneListeners.clear();
        }
        listeners.forEach(this::tell);
    }

    private void tell(Runnable listener) {
        try {
            listener.run();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            LOG.log(System.Logger.Level.ERROR, "{0}: client={1} failed: {2}", address, client.name(), Faults.describe(e));
        }
    }
}
