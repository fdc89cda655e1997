// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.core.binding.Abandoned;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.VendorCall;
import vfio.pci.core.gate.Calls;
import vfio.pci.core.gate.Gate;

/// How a mediation leaves a device: it was taken out, so that nobody enters it any more, and now those inside are waited for, it is closed,
/// and nothing that leads to it is kept. Threads that do not leave in time are interrupted and given up, and the device is isolated until
/// they end. So is one whose close does not return, unless another mediation has taken over the device: that goes on.
///
/// Where a mediator goes that has many devices, each step is done for all of them before the next, by one deadline.
final class MediationEnd {
    private static final System.Logger LOG = System.getLogger(MediationEnd.class.getName());

    private final OpenDevice device;
    private final Layer layer;
    private final Stay going;
    private final Binding binding;
    private final String why;
    /// Begun by another thread, which is waited for.
    private final boolean others;
    private final boolean replaced;
    private boolean postponed;
    private Optional<VendorCall> closing = Optional.empty();

    /// @param others whether another thread has begun to end it before
    /// @param replaced whether another mediation has taken over
    MediationEnd(OpenDevice device, Layer layer, Stay going, String why, boolean others, boolean replaced) {
        this.device = device;
        this.layer = layer;
        this.going = going;
        this.binding = going.binding();
        this.why = why;
        this.others = others;
        this.replaced = replaced;
    }

    /// All of it.
    void finish() {
        long timeout = device.settings().drainTimeout().toNanos();
        long deadline = System.nanoTime() + timeout;
        drain(deadline);
        awaitClose(Math.max(deadline, System.nanoTime() + timeout / 2) + timeout);
    }

    /// Waits for those inside, and begins to close it.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    void drain(long deadlineNanos) {
        if (others) {
            return;
        }
        List<Gate.Inside> inside = layer.gate().drain(binding, deadlineNanos);
        List<Thread> callers = binding.calls().drain(deadlineNanos);
        inside.removeIf(entry -> entry.thread() == Thread.currentThread());
        if (inside.isEmpty() && callers.isEmpty()) {
            closeWhenOutside();
        } else {
            abandon(inside, callers);
            ended();
        }
    }

    /// Waits until it is closed.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    void awaitClose(long deadlineNanos) {
        if (others) {
            if (!isInside()) {
                binding.awaitEnd(deadlineNanos);
            }
            return;
        }
        closing.ifPresent(call -> endClose(call, deadlineNanos));
        layer.forget(going);
        binding.mediator().unbound(device.address());
        LOG.log(System.Logger.Level.INFO, "{0}: no longer mediated by {1}: {2}", device.address(), binding.mediator(), why);
    }

    private Optional<Gate.Inside> ownEntry() {
        return layer.gate().drain(binding, System.nanoTime()).stream().filter(entry -> entry.thread() == Thread.currentThread())
            .findFirst();
    }

    private boolean isInside() {
        return ownEntry().isPresent() || binding.calls().isInside(Thread.currentThread());
    }

    /// Closes it now, or when the calling thread, which is inside by itself, has left by every way it came in. A mediation whose mediator
    /// was given up while a thread asked it is not closed: that thread is in it.
    private void closeWhenOutside() {
        Optional<Gate.Inside> own = ownEntry();
        if (own.isPresent()) {
            postponed = true;
            own.get().onLeave(this::closeWhenOutside);
        } else if (binding.calls().onLeave(this::closeWhenOutside)) {
            postponed = true;
        } else if (going.context().isRevoked()) {
            ended();
        } else {
            VendorCall call = VendorCall.start("vfio-close-" + device.address(), binding.mediation()::close);
            closing = Optional.of(call);
            if (postponed) {
                endClose(call, System.nanoTime() + device.settings().drainTimeout().toNanos());
            }
        }
    }

    private void endClose(VendorCall call, long deadlineNanos) {
        if (call.await(deadlineNanos)) {
            call.failure().ifPresent(failure -> LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} failed in close: {2}",
                device.address(), binding.mediator(), failure));
        } else {
            LOG.log(System.Logger.Level.ERROR, "{0}: mediator {1} did not return from close; interrupted and given up", device.address(),
                binding.mediator());
            Abandoned left = new Abandoned(device.address(), call.thread(), call::lasts);
            binding.mediator().abandoned(left);
            if (!replaced) {
                device.isolate(List.of(left));
            }
            going.context().revoke();
            call.thread().interrupt();
        }
        ended();
    }

    private void ended() {
        layer.discard(going.context());
        layer.forget(going);
        binding.ended();
    }

    /// Gives up the threads inside. Nothing that is kept for them leads to the mediation: it may be long before they end.
    private void abandon(List<Gate.Inside> inside, List<Thread> callers) {
        Calls calls = binding.calls();
        List<Abandoned> left = new ArrayList<>();
        inside.forEach(entry -> left.add(new Abandoned(device.address(), entry.thread(), entry::still)));
        callers.forEach(thread -> left.add(new Abandoned(device.address(), thread, () -> calls.isInside(thread))));
        for (Abandoned thread : left) {
            LOG.log(System.Logger.Level.ERROR, "{0}: thread={1} did not leave mediator {2} within {3}; interrupted and given up",
                device.address(), thread.thread().getName(), binding.mediator(), device.settings().drainTimeout());
            binding.mediator().abandoned(thread);
        }
        device.isolate(left);
        binding.abandon();
        try {
            // A thread that left just now may not have seen that it was given up: its leaving is seen after this, and it is let alone.
            LockSupport.parkNanos(100_000);
            inside.stream().filter(Gate.Inside::still).forEach(entry -> entry.thread().interrupt());
            callers.forEach(calls::interrupt);
        } finally {
            binding.interruptsSent();
        }
    }
}
