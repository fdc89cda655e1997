// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorRegistry;
import vfio.pci.core.device.KnownFunction;
import vfio.pci.core.device.MediatorSwap;

/// Finds who is meant when people exchange mediators.
final class Exchanges {
    /// How long a mediator may take to come once the one before has let go of what it needs.
    private static final long COMING_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final MediatorRegistry mediators;
    private final Collection<KnownFunction> functions;

    Exchanges(MediatorRegistry mediators, Collection<KnownFunction> functions) {
        this.mediators = mediators;
        this.functions = functions;
    }

    /// The one meant.
    ///
    /// @throws VfioException ENOENT when there is none; EINVAL when more than one may be
    Mediator mediator(String text, Optional<Mediator> other) throws VfioException {
        return mediators.meantBy(text, other).orElseThrow(() -> new VfioException(Errno.ENOENT,
            "mediator=%s expected=one of %s".formatted(text, mediators.inOrder())));
    }

    /// Open devices of a mediator.
    List<KnownFunction> devicesOf(Mediator mediator) {
        return functions.stream().filter(function -> function.isOf(mediator)).toList();
    }

    Exchange rebind(KnownFunction device, Optional<String> mediator) throws VfioException {
        return device.rebind(mediator.isPresent() ? List.of(mediator(mediator.get(), Optional.empty())) : mediators.inOrder());
    }

    List<Exchange> swap(Optional<KnownFunction> only, String fromText, String toText) throws VfioException {
        Mediator from = from(only, fromText, toText);
        List<KnownFunction> all = devicesOf(from);
        List<KnownFunction> chosen = only.map(List::of).orElse(all);
        if (chosen.isEmpty()) {
            throw new VfioException(Errno.ENOENT, "mediator=%s expected=one that has an open device".formatted(from));
        }
        if (only.isPresent() && !only.get().isOf(from)) {
            throw new VfioException(Errno.ENOENT, "address=%s expected=a device of mediator %s".formatted(
                only.get().function().address(), from));
        }
        Optional<Mediator> to = mediators.meantBy(toText, Optional.of(from));
        if (to.isEmpty() && chosen.size() < all.size()) {
            throw new VfioException(Errno.ENOENT, "mediator=%s expected=one of %s, or all devices of %s at once".formatted(toText,
                mediators.inOrder(), from));
        }
        List<Exchange> results = to.isPresent() ? MediatorSwap.eachAlone(chosen, from, to.get())
            : MediatorSwap.together(chosen, from, () -> awaitComing(toText, from));
        if (results.stream().anyMatch(result -> result.failure().isEmpty())) {
            Optional<Mediator> successor = mediators.meantBy(toText, Optional.of(from));
            successor.ifPresent(mediator -> mediators.putBefore(mediator, from));
        }
        return results;
    }

    /// The old one: by what it is called, and by whose the device is where two are called the same.
    private Mediator from(Optional<KnownFunction> only, String fromText, String toText) throws VfioException {
        List<Mediator> meant = mediators.inOrder().stream().filter(mediator -> mediator.isMeantBy(fromText)).toList();
        List<Mediator> having = meant.stream()
            .filter(mediator -> only.isPresent() ? only.get().isOf(mediator) : !devicesOf(mediator).isEmpty()).toList();
        return having.size() == 1 ? having.getFirst() : mediator(fromText, mediators.meantBy(toText, Optional.empty()));
    }

    private Mediator awaitComing(String text, Mediator from) throws VfioException {
        long deadline = System.nanoTime() + COMING_NANOS;
        Optional<Mediator> to = mediators.meantBy(text, Optional.of(from));
        while (to.isEmpty() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            to = mediators.meantBy(text, Optional.of(from));
        }
        Mediator successor = to.orElseThrow(() -> new VfioException(Errno.ENOENT,
            "mediator=%s did not come when %s stood aside".formatted(text, from)));
        // Now, for the old one may go as soon as its last device is taken over.
        mediators.putBefore(successor, from);
        return successor;
    }
}
