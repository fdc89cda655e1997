// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorStatus;

/// The mediators in the order they are asked: higher ranking first, then older first. Those that have gone stay listed while a thread is
/// stuck in them.
public final class MediatorRegistry {
    private static final System.Logger LOG = System.getLogger(MediatorRegistry.class.getName());

    private final Object lock = new Object();
    private final List<Mediator> mediators = new ArrayList<>();
    private final Collection<Mediator> departed = new ArrayList<>();

    /// Adds one at its place.
    public void add(Mediator mediator) {
        boolean twice;
        synchronized (lock) {
            twice = mediators.stream().anyMatch(present -> present.identity().name().equals(mediator.identity().name()));
            int place = 0;
            while (place < mediators.size() && !mediator.isBefore(mediators.get(place))) {
                place++;
            }
            mediators.add(place, mediator);
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

    /// Gives one the place of another, which comes right after it.
    public void putBefore(Mediator successor, Mediator predecessor) {
        synchronized (lock) {
            if (mediators.contains(predecessor) && mediators.remove(successor)) {
                mediators.add(mediators.indexOf(predecessor), successor);
            }
        }
    }

    /// The one that people mean, other than this one.
    ///
    /// @param text name, name:version or bundle id
    /// @throws VfioException EINVAL when they may mean more than one
    public Optional<Mediator> meantBy(String text, Optional<Mediator> other) throws VfioException {
        List<Mediator> meant = inOrder().stream().filter(mediator -> mediator.isMeantBy(text) && other.filter(mediator::equals).isEmpty())
            .toList();
        if (meant.size() > 1) {
            throw new VfioException(Errno.EINVAL, "mediator=%s expected=one of %s, by name:version or bundle id".formatted(text, meant));
        }
        return meant.stream().findFirst();
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
