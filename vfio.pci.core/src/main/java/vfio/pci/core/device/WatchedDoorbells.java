// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Context;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.gate.GateSlot;

/// What the function tells of doorbells, passed on to the mediation that watches them. This is the device's border for calls that come
/// from the function: its thread goes through the mediation's gate like any other, so that it is waited for, and given up, as any other.
///
/// The tap stays in the function once there was one, and costs a look at who is told: taking it out would wait for a subscriber that is
/// stuck.
final class WatchedDoorbells {
    private static final long NAP_NANOS = 20_000;
    private static final Subscription NOBODY = new Subscription((bar, offset, value) -> { });

    private final OpenDevice device;
    private final Layer layer;
    private final Gate<Binding> gate;
    /// One for each thread of the function that told at the same time as others.
    private final List<Teller> tellers = new CopyOnWriteArrayList<>();
    private final Object lock = new Object();
    /// Who may watch; guarded by the lock.
    private Context owner;
    /// Changes with the lock held.
    private volatile Subscription subscription = NOBODY;
    /// Every doorbell is to come as a message, for the function does not tell; changes with the lock held.
    private volatile boolean byMessageOnly;

    private record Subscription(DoorbellTap target) {
    }

    /// A way through the gate, for one thread of the function at a time.
    private static final class Teller {
        private final GateSlot slot;
        private final AtomicReference<Thread> thread = new AtomicReference<>();

        Teller(GateSlot slot) {
            this.slot = slot;
        }
    }

    WatchedDoorbells(OpenDevice device, Layer layer) {
        this.device = device;
        this.layer = layer;
        this.gate = layer.gate();
    }

    /// A mediation may watch. To be called before accesses are let in.
    void begin(Context newOwner) {
        synchronized (lock) {
            owner = newOwner;
            forgetLocked();
        }
    }

    /// A mediation watches no more; nobody is let in any more by who ended it.
    void end(Context asker) {
        synchronized (lock) {
            if (owner == asker) {
                owner = null;
                forgetLocked();
            }
        }
    }

    private void forgetLocked() {
        subscription = NOBODY;
        byMessageOnly = false;
    }

    /// As [vfio.pci.api.mediation.MediationContext#watchDoorbells].
    void watch(Context asker, DoorbellTap subscriber) throws VfioException {
        device.checkUsable();
        Subscription wanted = new Subscription(subscriber);
        synchronized (lock) {
            if (owner != asker) {
                throw new VfioException(Errno.EOPNOTSUPP, "mediation=ended expected=one that is bound");
            }
            subscription = wanted;
        }
        boolean watched = false;
        try {
            watched = tap() || byMessage(wanted);
        } finally {
            if (!watched) {
                forget(wanted);
            }
        }
    }

    /// Another function came in place of the one that told: it is to tell whoever is told now. To be called before it acts on doorbells.
    ///
    /// @throws VfioException EOPNOTSUPP, with nobody told, when it does not tell; else what the function answers
    void tapAgain() throws VfioException {
        Subscription present;
        boolean tapped;
        synchronized (lock) {
            present = subscription;
            tapped = present != NOBODY && !byMessageOnly;
        }
        if (tapped && !tap()) {
            forget(present);
            throw new VfioException(Errno.EOPNOTSUPP, "function=%s expected=one that tells of doorbells in memory, as before".formatted(
                device.address()));
        }
    }

    private boolean tap() throws VfioException {
        try {
            return device.tapDoorbells();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw device.functionFault(e);
        }
    }

    private boolean byMessage(Subscription wanted) throws VfioException {
        synchronized (lock) {
            byMessageOnly |= subscription == wanted;
        }
        String outsider = device.mappedByOutsider().orElse(null);
        if (outsider != null) {
            throw new VfioException(Errno.EOPNOTSUPP,
                "function=%s client=%s expected=a function that tells of doorbells in memory, or a client that takes part in trapping"
                    .formatted(device.address(), outsider));
        }
        return true;
    }

    private void forget(Subscription which) {
        synchronized (lock) {
            if (subscription == which) {
                forgetLocked();
            }
        }
    }

    /// Whether a client may get memory by which it could write doorbells that nobody sees.
    boolean isMappable(DeviceHandle handle) {
        return !byMessageOnly || handle.takesPart();
    }

    /// As [vfio.pci.api.mediation.MediationContext#unwatchDoorbells].
    void unwatch(Context asker) {
        synchronized (lock) {
            if (owner != asker) {
                return;
            }
            forgetLocked();
        }
        awaitOutside();
    }

    /// The device is about to be reset, for which the function's threads must be free. A subscriber that does not let one go ends its
    /// mediation. The device's turn is held.
    ///
    /// @throws VfioException EIO when a thread is held even so
    void stopForReset() throws VfioException {
        synchronized (lock) {
            forgetLocked();
        }
        if (!awaitOutside()) {
            layer.end("it did not let a thread of the function go");
            device.checkUsable();
        }
    }

    /// Does something that waits for the function's threads: now, or in a thread of its own when one of them was given up.
    void whenOutside(Runnable task) {
        if (tellers.stream().noneMatch(WatchedDoorbells::isHeld)) {
            task.run();
        } else {
            Thread.ofPlatform().name("vfio-" + device.address() + "-end").daemon().start(task);
        }
    }

    private static boolean isHeld(Teller teller) {
        Thread thread = teller.thread.get();
        return thread != null && thread != Thread.currentThread();
    }

    /// Waits until nobody else is in a subscriber that was forgotten before, at most for the drain timeout.
    private boolean awaitOutside() {
        long deadline = System.nanoTime() + device.settings().drainTimeout().toNanos();
        for (Teller teller : tellers) {
            while (isHeld(teller)) {
                if (System.nanoTime() - deadline >= 0) {
                    return false;
                }
                LockSupport.parkNanos(NAP_NANOS);
            }
        }
        return true;
    }

    /// The function took a doorbell. On its thread.
    void rung(int bar, long offset, int value) {
        if (subscription != NOBODY) {
            tell(bar, offset, value);
        }
    }

    private void tell(int bar, long offset, int value) {
        Teller teller = teller();
        Binding binding = null;
        try {
            binding = gate.enter(teller.slot);
            // Inside, whoever is told is of the mediation that is inside: what one before it subscribed to was forgotten before.
            Subscription now = subscription;
            if (binding != null && now != NOBODY) {
                now.target.doorbell(bar, offset, value);
            }
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            told(binding, e);
        } finally {
            gate.leave(teller.slot, 0);
            if (binding != null) {
                binding.takeInterruptBack();
            }
            teller.thread.set(null);
        }
    }

    private void told(Binding binding, Throwable bug) {
        if (binding == null) {
            device.functionFault(bug);
        } else {
            layer.fault(binding, bug);
        }
    }

    private Teller teller() {
        Thread self = Thread.currentThread();
        for (int i = 0; i < tellers.size(); i++) {
            Teller teller = tellers.get(i);
            if (teller.thread.compareAndSet(null, self)) {
                return teller;
            }
        }
        Teller added = new Teller(gate.slot());
        added.thread.set(self);
        tellers.add(added);
        return added;
    }
}
