// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.PciFunction;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorStack;

/// A function the core knows of, and its device while that is open.
public final class KnownFunction {
    private static final System.Logger LOG = System.getLogger(KnownFunction.class.getName());

    private final PciFunction function;
    private final Executor later;
    private final ReentrantLock turn = new ReentrantLock(true);
    /// Held by who opens the device, before the turn: a mediator may be looked for meanwhile, and the turn is not kept for that long.
    private final ReentrantLock opening = new ReentrantLock(true);
    private volatile Optional<OpenDevice> device = Optional.empty();
    private volatile AccessStats lastStats = AccessStats.ZERO;
    private volatile boolean gone;
    private volatile MediatorStack declared = MediatorStack.SINGLE;
    private final Object freezing = new Object();
    /// While its accesses wait for a mediator, or null. Begins with the lock above.
    private volatile Frozen frozen;

    /// A function that was registered just now.
    ///
    /// @param later runs what must not be done on the thread that finds it out
    public KnownFunction(PciFunction function, Executor later) {
        this.function = function;
        this.later = later;
    }

    /// The function.
    public PciFunction function() {
        return function;
    }

    /// Its device, while open.
    public Optional<OpenDevice> device() {
        return device;
    }

    /// Opens the device, or opens it once more, and looks no further than these mediators.
    ///
    /// @throws VfioException as [#open(Client, List, DeviceSettings, Newcomers)]
    public VfioDevice open(Client client, List<Mediator> inOrder, DeviceSettings settings) throws VfioException {
        return open(client, inOrder, settings, Newcomers.NONE);
    }

    /// Opens the device, or opens it once more. One that nobody took when it was opened is offered to newcomers before its client has it.
    ///
    /// @throws VfioException EBUSY when another driver has the function, or from within the opening, resetting or closing of this device;
    ///     ENODEV when it has gone; EIO when it fails
    public VfioDevice open(Client client, List<Mediator> inOrder, DeviceSettings settings, Newcomers newcomers) throws VfioException {
        if (turn.isHeldByCurrentThread() || opening.isHeldByCurrentThread()) {
            throw new VfioException(Errno.EBUSY, "address=%s expected=a thread that is not opening, resetting or closing it"
                .formatted(function.address()));
        }
        opening.lock();
        try {
            Optional<OpenDevice> before = device;
            VfioDevice handle = openAsked(client, inOrder, settings, newcomers);
            if (!device.equals(before)) {
                offer(newcomers);
            }
            return handle;
        } finally {
            opening.unlock();
        }
    }

    private VfioDevice openAsked(Client client, List<Mediator> inOrder, DeviceSettings settings, Newcomers newcomers)
            throws VfioException {
        turn.lock();
        try {
            checkThere();
            OpenDevice open = device.isPresent() ? device.get() : openFirst(inOrder, settings, newcomers);
            return open.addHandle(client);
        } finally {
            turn.unlock();
        }
    }

    /// Looks for a mediator outside the turn, so that a function or a mediator that goes need not wait for it, and binds inside it.
    private void offer(Newcomers newcomers) {
        if (device.filter(open -> open.mediation().hasRoom()).isEmpty()) {
            return;
        }
        List<Mediator> found = newcomers.find();
        if (found.isEmpty()) {
            return;
        }
        turn.lock();
        try {
            device.filter(open -> !open.hasGone() && open.mediation().hasRoom()).ifPresent(open -> open.askMediators(found));
        } finally {
            turn.unlock();
        }
    }

    /// The device is there for those who look for it before the mediators are asked: one that goes meanwhile must find its mediation.
    private OpenDevice openFirst(List<Mediator> inOrder, DeviceSettings settings, Newcomers newcomers) throws VfioException {
        OpenDevice opened = bindFunction(settings);
        boolean done = false;
        device = Optional.of(opened);
        try {
            opened.whenLastHandleCloses(() -> {
                closed(opened);
                newcomers.closed();
            });
            opened.mediation().arrange(declared);
            opened.askMediators(inOrder);
            checkThere();
            done = true;
            return opened;
        } finally {
            if (!done) {
                closed(opened);
            }
        }
    }

    private OpenDevice bindFunction(DeviceSettings settings) throws VfioException {
        try {
            return new OpenDevice(function, settings, turn, later);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            LOG.log(System.Logger.Level.ERROR, "{0}: the function failed while it was opened: {1}", function.address(),
                Faults.describe(e));
            throw new VfioException(Errno.EIO, "device=%s failed with %s".formatted(function.address(), e.getClass().getSimpleName()));
        }
    }

    private void checkThere() throws VfioException {
        if (gone) {
            throw new VfioException(Errno.ENODEV, "address=%s has gone".formatted(function.address()));
        }
    }

    /// The last handle was closed.
    private void closed(OpenDevice closing) {
        lastStats = closing.stats();
        try {
            closing.close();
        } finally {
            if (device.filter(present -> present == closing).isPresent()) {
                device = Optional.empty();
                frozen = null;
            }
        }
    }

    // ---- who mediates it

    /// Says who is to mediate the device, from the next open on, and of an open one from the next [#rebind] on.
    public void declare(MediatorStack stack) {
        declared = stack;
    }

    /// Who is to mediate it.
    public MediatorStack declared() {
        return declared;
    }

    /// The open device.
    ///
    /// @throws VfioException ENODEV when it is not open
    OpenDevice opened() throws VfioException {
        return device.filter(open -> !open.hasGone()).orElseThrow(() -> new VfioException(Errno.ENODEV,
            "address=%s expected=a device that somebody has open".formatted(function.address())));
    }

    /// Whether it is open, and this mediator has it.
    public boolean isOf(Mediator mediator) {
        return device.filter(open -> open.isOf(mediator)).isPresent();
    }

    /// Brings the layers of the open device into the order that is declared, and binds each to the first of these that accepts; one that
    /// has it keeps it.
    ///
    /// @param mediators in order
    /// @throws VfioException ENODEV when it is not open; EPERM when none accepts; EBUSY and ETIMEDOUT as [OpenDevice#hold]
    public Exchange rebind(List<Mediator> mediators) throws VfioException {
        Frozen waiting = frozen;
        if (waiting != null && waiting.lasts()) {
            try {
                return waiting.rebind(mediators);
            } catch (VfioException e) {
                // Unless another one came by itself meanwhile: then it is bound anew as any device.
                if (waiting.lasts()) {
                    throw e;
                }
            }
        }
        try (Pause pause = Pause.begin(opened(), "it is bound to another mediator")) {
            opened().mediation().arrange(declared);
            return new Rebinding(opened(), pause).rebind(mediators);
        }
    }

    /// As the mediator of a device whose accesses wait for one comes.
    ///
    /// @return whether it has the device now
    public boolean thaw(Mediator mediator) {
        Frozen now = frozen;
        return now != null && now.offer(mediator);
    }

    /// The mediator of a device whose accesses wait has gone, and others are there: they are asked, on a thread of their own, for who goes
    /// is not to wait for them.
    public void thaw(List<Mediator> inOrder) {
        Frozen now = frozen;
        if (now != null && now.lasts() && !inOrder.isEmpty()) {
            Thread.ofPlatform().name("vfio-thaw-" + function.address()).daemon().inheritInheritableThreadLocals(false)
                .start(() -> inOrder.forEach(now::offer));
        }
    }

    /// Has the function bound afresh behind the open device.
    ///
    /// @throws VfioException as [Renewal#renew]
    public Exchange renew() throws VfioException {
        try (Pause pause = Pause.begin(opened(), "its function is bound afresh")) {
            return new Renewal(opened(), pause).renew();
        }
    }

    /// Begins to end this mediator's mediation of the device, if it has one.
    ///
    /// @param policy what becomes of the device
    /// @param freeze longest time that its accesses wait for another mediator
    /// @param deadlineNanos until when accesses under way are waited for before they are kept from it
    /// @return what is left to be done
    public Optional<MediatorDeparture> depart(Mediator mediator, MediatorPolicy policy, Duration freeze, long deadlineNanos) {
        Optional<OpenDevice> open = device;
        if (open.filter(present -> present.isOf(mediator)).isEmpty()) {
            return Optional.empty();
        }
        if (policy == MediatorPolicy.FREEZE) {
            open.get().mediation().layerOf(mediator).ifPresent(layer ->
                freeze(open.get(), layer, freeze).ifPresent(now -> now.keep(layer, deadlineNanos)));
        }
        return open.get().beginEndOf(mediator)
            .map(end -> new MediatorDeparture(end, policy == MediatorPolicy.DETACH ? () -> detach(open.get(), mediator) : () -> { }));
    }

    /// Has accesses wait for a successor of this layer's mediator. They may wait for another layer's already.
    private Optional<Frozen> freeze(OpenDevice open, Layer layer, Duration bound) {
        synchronized (freezing) {
            Frozen present = frozen;
            if (present != null && present.join(open, layer)) {
                return Optional.of(present);
            }
            Optional<Frozen> begun = Frozen.begin(open, layer, bound);
            frozen = begun.orElse(null);
            return begun;
        }
    }

    /// The clients lose the device; the next one opens it anew.
    private void detach(OpenDevice detached, Mediator mediator) {
        detached.gone("its mediator " + mediator.identity().name() + " has gone, and its policy is to detach");
        boolean turns = detached.takeTurn();
        try {
            if (device.filter(present -> present == detached).isPresent()) {
                device = Optional.empty();
            }
        } finally {
            if (turns) {
                turn.unlock();
            }
        }
    }

    /// The function goes, or the core stops. When this returns the function is let go, unless somebody who is opening it is stuck in a
    /// vendor's code for longer than the drain timeout; then it is let go by them.
    public void gone(String why) {
        gone = true;
        if (device.isEmpty()) {
            awaitOpening();
        }
        device.ifPresent(open -> open.gone(why));
    }

    /// Waits until nobody has the function in hand of whom nothing is seen yet. An interrupt is kept for later.
    private void awaitOpening() {
        boolean interrupted = Thread.interrupted();
        try {
            if (turn.tryLock(DeviceSettings.DEFAULT.drainTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
                turn.unlock();
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// A snapshot for people.
    public DeviceStatus status() {
        Optional<OpenDevice> open = device;
        return new DeviceStatus(function.address(), function.id(), function.physicalFunction(), function.driver(),
            open.map(OpenDevice::clients).orElse(List.of()),
            open.flatMap(OpenDevice::mediatorName),
            open.map(present -> present.interests().trapping()).orElse(false),
            open.flatMap(OpenDevice::isolated),
            open.map(OpenDevice::presentRegions).orElse(List.of()),
            open.map(OpenDevice::presentIrqs).orElse(List.of()),
            open.map(present -> present.mediation().status()).orElse(List.of()));
    }

    /// Counters since it was opened; of the last time, when it is not open.
    public AccessStats stats() {
        return device.map(OpenDevice::stats).orElse(lastStats);
    }
}
