// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.MediateOps;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.core.gate.Calls;

/// A registered mediator. What is needed to show it is copied when it comes; the service itself is dropped when it goes.
public final class Mediator {
    private static final System.Logger LOG = System.getLogger(Mediator.class.getName());

    private final Identity identity;
    private final Calls opens = new Calls();
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final Object lock = new Object();
    /// Guarded by the lock.
    private final List<PciAddress> devices = new ArrayList<>();
    /// Guarded by the lock; threads that did not leave.
    private final List<Abandoned> stuck = new ArrayList<>();
    /// Guarded by the lock; who is being asked now.
    private final List<Asked> asked = new ArrayList<>();
    private volatile MediateOps ops;

    /// What people are shown of a mediator, and its place.
    ///
    /// @param ranking as it was at registration: it can change later, the place does not
    public record Identity(String name, String bundle, long bundleId, int ranking, long serviceId) {
        /// The version of the bundle.
        String version() {
            return bundle.substring(bundle.lastIndexOf(' ') + 1);
        }

        /// The bundle's symbolic name.
        String symbolicName() {
            return bundle.substring(0, Math.max(0, bundle.lastIndexOf(' ')));
        }
    }

    /// A thread in it for a device, with the context it was offered.
    private static final class Asked {
        private final Thread thread = Thread.currentThread();
        private final PciAddress device;
        private final Context offered;
        private boolean abandoned;

        Asked(PciAddress device, Context offered) {
            this.device = device;
            this.offered = offered;
        }
    }

    /// A mediator that was registered just now.
    public Mediator(Identity identity, MediateOps ops) {
        this.identity = identity;
        this.ops = ops;
    }

    /// What is shown of it.
    public Identity identity() {
        return identity;
    }

    /// Its name with where it comes from, for logs.
    @Override
    public String toString() {
        return identity.name + " of " + identity.bundle + " [" + identity.bundleId + "]";
    }

    /// Whether it is asked before the other one: higher ranking first, then older first.
    boolean isBefore(Mediator other) {
        int byRanking = Integer.compare(other.identity.ranking, identity.ranking);
        return byRanking < 0 || byRanking == 0 && identity.serviceId < other.identity.serviceId;
    }

    /// Enters it for asking; while inside, it does not go. [#leave] follows exactly when this is true.
    ///
    /// @param offered revoked when the thread does not leave in time
    public boolean enter(PciAddress device, Context offered) {
        if (!opens.enter()) {
            return false;
        }
        synchronized (lock) {
            asked.add(new Asked(device, offered));
        }
        return true;
    }

    /// Leaves it after asking.
    public void leave(Context offered) {
        opens.leave();
        boolean interrupted = false;
        synchronized (lock) {
            for (int i = asked.size() - 1; i >= 0; i--) {
                if (asked.get(i).offered == offered) {
                    interrupted |= asked.remove(i).abandoned;
                }
            }
        }
        if (interrupted) {
            // The interrupt was for the mediator; the thread is wanted for other work.
            Thread.interrupted();
        }
    }

    /// Asks it, from inside; what it throws counts as a refusal.
    ///
    /// @return the mediation when it accepts
    public Optional<Mediation> ask(PciFunction function, MediationContext context) {
        MediateOps present = ops;
        if (present == null) {
            return Optional.empty();
        }
        try {
            Optional<Mediation> answer = present.open(function, context);
            if (answer.isEmpty()) {
                refused.incrementAndGet();
            }
            return answer;
        } catch (VfioException e) {
            refused.incrementAndGet();
            LOG.log(System.Logger.Level.INFO, "{0}: mediator {1} refused: {2}", function.address(), this, e.getMessage());
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            // Logged once for each mediator: a broken one is asked at every open.
            if (failed.incrementAndGet() == 1) {
                LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed in open and is skipped: {2}", function.address(), this,
                    Faults.describe(e));
            }
        }
        return Optional.empty();
    }

    /// Asks it, from inside, as one that is to take over; says why when it does not.
    ///
    /// @throws VfioException with what it says; a bug of its is thrown on
    public Mediation askToTakeOver(PciFunction function, MediationContext context) throws VfioException {
        MediateOps present = ops;
        if (present == null) {
            throw new VfioException(Errno.ENODEV, "mediator=%s has gone".formatted(identity.name));
        }
        boolean taken = false;
        try {
            Mediation answer = present.open(function, context)
                .orElseThrow(() -> new VfioException(Errno.EPERM, "it refused the device"));
            taken = true;
            return answer;
        } finally {
            if (!taken) {
                refused.incrementAndGet();
            }
        }
    }

    /// It accepted and its mediation was taken.
    public void bound(PciAddress address) {
        accepted.incrementAndGet();
        synchronized (lock) {
            devices.add(address);
        }
    }

    /// It accepted, but its mediation could not be taken.
    public void failedToBind() {
        failed.incrementAndGet();
    }

    /// Its mediation of a device ended.
    public void unbound(PciAddress address) {
        synchronized (lock) {
            devices.remove(address);
        }
    }

    /// A thread is inside and was given up.
    public void abandoned(Abandoned thread) {
        synchronized (lock) {
            stuck.add(thread);
        }
    }

    /// Asks it no more, drops it, and waits for who is asking. Threads that do not leave in time are interrupted and given up, and
    /// what they try through the context they were offered is refused.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    public void shut(long deadlineNanos) {
        opens.shut();
        ops = null;
        List<Thread> left = opens.drain(deadlineNanos);
        synchronized (lock) {
            asked.stream().filter(entry -> left.contains(entry.thread)).forEach(this::giveUpLocked);
        }
    }

    /// Gives up the thread that asks it with this context, if it is inside still: interrupts it, and what it tries is refused.
    public void giveUp(Context offered) {
        synchronized (lock) {
            asked.stream().filter(entry -> entry.offered == offered).forEach(this::giveUpLocked);
        }
    }

    private void giveUpLocked(Asked entry) {
        Thread thread = entry.thread;
        LOG.log(System.Logger.Level.ERROR, "{0}: thread={1} did not leave open of mediator {2}; interrupted and given up", entry.device,
            thread.getName(), this);
        entry.abandoned = true;
        entry.offered.revoke();
        stuck.add(new Abandoned(entry.device, thread, () -> opens.isInside(thread)));
        opens.interrupt(thread);
    }

    /// Whether people mean this one by its name, name:version or bundle id.
    public boolean isMeantBy(String text) {
        return text.equals(identity.name) || text.equals(identity.name + ":" + identity.version())
            || text.equals(Long.toString(identity.bundleId));
    }

    /// Whether a place in a declared order is meant for this one: by what people call it, or by its bundle.
    boolean isNamed(String place) {
        return isMeantBy(place) || place.equals(identity.symbolicName());
    }

    /// Has it let go of what its successor needs.
    ///
    /// @throws VfioException when it refuses, or has gone
    public void standAside() throws VfioException {
        MediateOps present = ops;
        if (present == null || !opens.enter()) {
            throw new VfioException(Errno.ENODEV, "mediator=%s has gone".formatted(identity.name));
        }
        try {
            present.standAside();
        } finally {
            opens.leave();
        }
    }

    /// Has it take again what it let go of.
    ///
    /// @throws VfioException when it cannot
    public void standIn() throws VfioException {
        MediateOps present = ops;
        if (present != null && opens.enter()) {
            try {
                present.standIn();
            } finally {
                opens.leave();
            }
        }
    }

    /// Whether it has gone.
    public boolean gone() {
        return opens.isShut();
    }

    /// Whether threads are stuck in it still.
    public boolean hasStuck() {
        synchronized (lock) {
            stuck.removeIf(thread -> !thread.still().getAsBoolean());
            return !stuck.isEmpty();
        }
    }

    /// A snapshot for people.
    public MediatorStatus status() {
        synchronized (lock) {
            stuck.removeIf(thread -> !thread.still().getAsBoolean());
            return new MediatorStatus(identity.name, identity.bundle, identity.bundleId, identity.ranking, identity.serviceId, devices,
                accepted.get(), refused.get(), failed.get(), stuck.stream().map(Abandoned::status).toList());
        }
    }
}
