// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import linux.sys.Epoll;
import linux.sys.EventFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.user.command.MaskAction;

/// The events by which a client masks and unmasks: given and taken away in the connection's turn, attended to by the loop, gone with the
/// connection. No more than one for each action and vector.
final class MaskEvents {
    private record Key(MaskAction action, int index, int vector) {
    }

    private final Host host;
    private final Visits visits;
    private final Consumer<VfioException> faults;

    // Of the turn.
    private final Map<Key, MaskSource> sources = new HashMap<>();

    // Of the loop.
    private final Set<MaskSource> attended = new HashSet<>();
    private boolean closed;

    /// @param faults told of what failed, by any thread
    MaskEvents(Host host, Visits visits, Consumer<VfioException> faults) {
        this.host = host;
        this.visits = visits;
        this.faults = faults;
    }

    /// Vectors from `start` have these events; those they had are closed. In a turn.
    ///
    /// @param events taken
    void set(VfioDevice device, MaskAction action, int index, int start, List<EventFd> events) {
        for (int i = 0; i < events.size(); i++) {
            Key key = new Key(action, index, start + i);
            visits.come();
            MaskSource fresh = new MaskSource(device, action, index, start + i, events.get(i), faults, visits::leave);
            takeOut(sources.put(key, fresh));
            if (!host.loop().execute(() -> attend(fresh))) {
                fresh.closed();
            }
        }
    }

    /// Vectors have no such event any more. In a turn.
    void clear(MaskAction action, int index, int start, int count) {
        clear(key -> key.action == action && key.index == index && key.vector - start >= 0 && key.vector - start < count);
    }

    /// Nor has any vector of an interrupt. In a turn.
    void clear(int index) {
        clear(key -> key.index == index);
    }

    private void clear(Predicate<Key> which) {
        sources.entrySet().removeIf(entry -> {
            boolean gone = which.test(entry.getKey());
            if (gone) {
                takeOut(entry.getValue());
            }
            return gone;
        });
    }

    /// @param source null for none
    private void takeOut(MaskSource source) {
        if (source != null) {
            source.switchOff();
            // When the loop has ended it has taken out all.
            host.loop().execute(() -> {
                if (attended.remove(source)) {
                    host.loop().remove(source);
                }
            });
        }
    }

    private void attend(MaskSource fresh) {
        if (closed) {
            fresh.closed();
        } else {
            attended.add(fresh);
            host.loop().add(fresh, Epoll.IN);
        }
    }

    /// The connection ends. A task of the loop.
    void close() {
        closed = true;
        attended.forEach(host.loop()::remove);
        attended.clear();
    }
}
