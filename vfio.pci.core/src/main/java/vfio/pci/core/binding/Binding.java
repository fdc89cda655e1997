// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.Handover;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.gate.Calls;
import vfio.pci.core.gate.Guarded;
import vfio.pci.core.migration.MigrationEngine;

/// The mediation of one open device, as the core holds it: entered for accesses by the gate, for all else by its calls. Everything a
/// vendor's class is reached through ends here.
public final class Binding extends Guarded {
    private static final System.Logger LOG = System.getLogger(Binding.class.getName());

    private final Mediator mediator;
    private final Mediation mediation;
    private final Calls calls = new Calls();
    private final AtomicInteger faults = new AtomicInteger();
    private final AtomicReference<Thread> endingBy = new AtomicReference<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean abandoned;
    private volatile boolean interruptsSent;

    /// A mediation that a mediator answered with.
    public Binding(Mediator mediator, Mediation mediation) {
        this.mediator = mediator;
        this.mediation = mediation;
    }

    /// Whose it is.
    public Mediator mediator() {
        return mediator;
    }

    /// The mediation, for a thread that is inside the gate.
    public Mediation mediation() {
        return mediation;
    }

    /// Who calls it outside the gate.
    public Calls calls() {
        return calls;
    }

    /// Which default regions it wants; asked while it is being bound.
    public Set<Capability> capabilities() {
        return Set.copyOf(mediation.capabilities());
    }

    /// What it wants to see at first; asked while it is being bound.
    public List<Claim> claims() {
        return List.copyOf(mediation.claims());
    }

    /// Begins to end it, by the calling thread. From now on nobody enters its calls.
    ///
    /// @return false when somebody has begun before
    public boolean beginEnd() {
        calls.shut();
        return endingBy.compareAndSet(null, Thread.currentThread());
    }

    /// Whether its end has begun.
    public boolean isEnding() {
        return endingBy.get() != null;
    }

    /// It has ended: it is closed or given up.
    public void ended() {
        ended.countDown();
    }

    /// Waits until it has ended, at most until the deadline; not in the thread that ends it. An interrupt is kept for later.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    public void awaitEnd(long deadlineNanos) {
        if (endingBy.get() == Thread.currentThread()) {
            return;
        }
        boolean interrupted = false;
        while (true) {
            try {
                if (!ended.await(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    LOG.log(System.Logger.Level.WARNING, "mediator {0}: thread={1} has not ended a mediation yet", mediator,
                        endingBy.get().getName());
                }
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// Given up with threads inside: whatever they bring is not used. [#interruptsSent()] follows.
    public void abandon() {
        abandoned = true;
    }

    /// The threads given up were interrupted.
    public void interruptsSent() {
        interruptsSent = true;
    }

    /// For a thread that has left: if it was given up, the interrupt was for the mediation, and the thread is wanted for other work.
    public void takeInterruptBack() {
        if (abandoned) {
            while (!interruptsSent) {
                Thread.onSpinWait();
            }
            Thread.interrupted();
        }
    }

    /// Whether it was given up.
    public boolean isAbandoned() {
        return abandoned;
    }

    /// Counts a bug of the vendor's.
    ///
    /// @return how many there were
    public int fault() {
        return faults.incrementAndGet();
    }

    /// Has it change a region's description.
    ///
    /// @return the defaults when it has gone
    public RegionInfo regionInfo(RegionInfo defaults) {
        if (!calls.enter()) {
            return defaults;
        }
        try {
            RegionInfo changed = mediation.regionInfo(defaults);
            return abandoned ? defaults : changed;
        } finally {
            leave();
        }
    }

    /// Has it change which registers of a BAR are doorbells.
    ///
    /// @return the defaults when it has gone
    public List<Doorbell> doorbells(int region, List<Doorbell> defaults) {
        if (!calls.enter()) {
            return defaults;
        }
        try {
            List<Doorbell> changed = List.copyOf(mediation.doorbells(region, defaults));
            return abandoned ? defaults : changed;
        } finally {
            leave();
        }
    }

    /// Asks it about a map.
    ///
    /// @return pass-through when it has gone
    public MapVerdict map(int region, long offset, long length) throws VfioException {
        if (!calls.enter()) {
            return MapVerdict.PASS_THROUGH;
        }
        try {
            MapVerdict verdict = Objects.requireNonNull(mediation.map(region, offset, length), "verdict");
            return abandoned ? MapVerdict.PASS_THROUGH : verdict;
        } finally {
            leave();
        }
    }

    /// Asks it about a window; nobody refuses it when it has gone.
    ///
    /// @throws VfioException when it refuses
    public void dmaMap(DmaWindow window) throws VfioException {
        if (calls.enter()) {
            try {
                mediation.dmaMap(window);
            } catch (VfioException e) {
                if (!abandoned) {
                    throw e;
                }
            } finally {
                leave();
            }
        }
    }

    /// Tells it of a window that is there.
    public void dmaPresent(DmaWindow window) {
        if (calls.enter()) {
            try {
                mediation.dmaPresent(window);
            } finally {
                leave();
            }
        }
    }

    /// Tells it of a window that went.
    public void dmaUnmap(DmaWindow window) {
        if (calls.enter()) {
            try {
                mediation.dmaUnmap(window);
            } finally {
                leave();
            }
        }
    }

    /// Whether nothing that matters is in it now; asked while no access is under way.
    public boolean isStateless() {
        return mediation.stateless();
    }

    /// Has it give what it keeps by itself, for the one that follows.
    ///
    /// @throws VfioException ENODEV when it has gone; ENOSPC when it is too much; else what it answers
    public Optional<HandedOver> handOver() throws VfioException {
        if (!calls.enter()) {
            throw gone();
        }
        try {
            Optional<Handover> vendor = mediation.handover();
            return vendor.isEmpty() ? Optional.empty() : Optional.of(HandedOver.by(mediator.identity().name(), vendor.get()));
        } finally {
            leave();
        }
    }

    /// Has it take over what another kept.
    ///
    /// @return whether it takes over anything
    /// @throws VfioException ENODEV when it has gone; else what it answers
    public boolean takeOver(HandedOver given) throws VfioException {
        if (!calls.enter()) {
            throw gone();
        }
        try {
            Optional<Handover> vendor = mediation.handover();
            if (vendor.isPresent()) {
                HandedOver own = given.copy();
                vendor.get().load(own.mediator(), own.version(), own.sections());
            }
            return vendor.isPresent();
        } finally {
            leave();
        }
    }

    /// The same, asked at any time.
    ///
    /// @return true when it has gone
    public boolean isStatelessNow() {
        if (!calls.enter()) {
            return true;
        }
        try {
            return mediation.stateless() || abandoned;
        } finally {
            leave();
        }
    }

    /// How it moves its device; asked while it is being bound.
    public Optional<MigrationDriver> migration() {
        return mediation.migration();
    }

    /// Asks the vendor's migration.
    ///
    /// @throws VfioException ENODEV when it has gone; else what it answers
    public <T> T migrate(MigrationDriver driver, MigrationEngine.Request<T> request) throws VfioException {
        if (!calls.enter()) {
            throw gone();
        }
        try {
            T answer = Objects.requireNonNull(request.ask(driver), "answer");
            if (abandoned) {
                throw gone();
            }
            return answer;
        } finally {
            leave();
        }
    }

    /// Whether it wants to be told of interrupts; asked while it is being bound.
    public boolean relaysInterrupts() {
        return mediation.relaysInterrupts();
    }

    /// Tells it of an interrupt.
    public void interrupt(InterruptKind kind, int vector) {
        if (calls.enter()) {
            try {
                mediation.interrupt(kind, vector);
            } finally {
                leave();
            }
        }
    }

    /// Tells it of a reset.
    ///
    /// @throws VfioException what it answers
    public void reset() throws VfioException {
        if (calls.enter()) {
            try {
                mediation.reset();
            } finally {
                leave();
            }
        }
    }

    private void leave() {
        calls.leave();
        takeInterruptBack();
    }

    private static VfioException gone() {
        return new VfioException(Errno.ENODEV, "mediation=gone expected=a mediator that is still there");
    }
}
