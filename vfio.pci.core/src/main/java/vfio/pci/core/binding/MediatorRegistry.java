// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import vfio.pci.api.admin.MediatorStatus;

/// The mediators in the order they are asked: higher ranking first, then older first. Those that have gone stay listed while a thread is
/// stuck in
/// them.
public final class MediatorRegistry {
    private static final System.Logger LOG = System.getLogger(MediatorRegistry.class.getName());

    private final Object lock = new Object();
    private final NavigableSet<Mediator> mediators = new TreeSet<>();
    private final Collection<Mediator> departed = new ArrayList<>();

    /// Adds one at its place.
    public void add(Mediator mediator) {
        boolean twice;
        synchronized (lock) {
            twice = mediators.stream().anyMatch(present -> present.identity().name().equals(mediator.identity().name()));
            mediators.add(mediator);
        }
        LOG.log(System.Logger.Level.INFO, "mediator {0} registered", mediator);
        if (twice) {
            LOG.log(System.Logger.Level.WARNING, "mediator name={0} is registered twice; both are asked, the older first",
                mediator.identity().name());
        }
    }

    /// Takes one out: it is asked no more by opens that begin now.
    public void remove(Mediator mediator) {
        synchronized (lock) {
            mediators.remove(mediator);
        }
    }

    /// Lists one that has gone for as long as threads are stuck in it.
    public void depart(Mediator mediator) {
        if (mediator.hasStuck()) {
            synchronized (lock) {
                departed.add(mediator);
            }
        }
        LOG.log(System.Logger.Level.INFO, "mediator {0} unregistered", mediator);
    }

    /// The mediators in order, as they are now.
    public List<Mediator> inOrder() {
        synchronized (lock) {
            return List.copyOf(mediators);
        }
    }

    /// All for people, in order, then those that have gone and are stuck.
    public List<MediatorStatus> status() {
        List<Mediator> all;
        synchronized (lock) {
            departed.removeIf(mediator -> !mediator.hasStuck());
            all = new ArrayList<>(mediators);
            all.addAll(departed);
        }
        return all.stream().map(Mediator::status).toList();
    }
}
