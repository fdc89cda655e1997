// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.stream.Stream;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.core.binding.Abandoned;

/// Whether a device may be used: not while a thread that was given up is still in a mediation of it, never again when it has gone, and not
/// yet while it is held. The access path reads one word for all of it.
final class Usability {
    private static final System.Logger LOG = System.getLogger(Usability.class.getName());

    private static final AtomicReferenceFieldUpdater<Usability, State> STATE =
        AtomicReferenceFieldUpdater.newUpdater(Usability.class, State.class, "state");

    private final PciAddress address;
    /// Null while all is well.
    private volatile State state;

    /// What keeps accesses back.
    private record State(Optional<Refusal> refusal, Optional<Hold> hold) {
        static State of(Optional<Refusal> refusal, Optional<Hold> hold) {
            return refusal.isEmpty() && hold.isEmpty() ? null : new State(refusal, hold);
        }

        static Optional<Refusal> refusal(State state) {
            return state == null ? Optional.empty() : state.refusal;
        }

        static Optional<Hold> hold(State state) {
            return state == null ? Optional.empty() : state.hold;
        }

        static boolean gone(State state) {
            return refusal(state).filter(why -> why.errno == Errno.ENODEV).isPresent();
        }
    }

    /// Why it may not be used.
    ///
    /// @param until threads that must leave first; none for a device that has gone
    private record Refusal(Errno errno, String why, List<Abandoned> until) {
        boolean over() {
            return errno != Errno.ENODEV && until.stream().noneMatch(thread -> thread.still().getAsBoolean());
        }
    }

    Usability(PciAddress address) {
        this.address = address;
    }

    /// Whether there is nothing that keeps accesses back: what the access path asks first.
    boolean isClear() {
        return state == null;
    }

    /// Refuses what is asked of a device that has gone or is isolated. Of one that is held it does not.
    void check() throws VfioException {
        if (state != null) {
            Optional<VfioException> refused = refused();
            if (refused.isPresent()) {
                throw refused.get();
            }
        }
    }

    /// What is answered now, if not all is well.
    Optional<VfioException> refused() {
        return current().map(now -> new VfioException(now.errno, "device=%s %s".formatted(address, now.why)));
    }

    /// Why accesses are refused, for people.
    Optional<String> why() {
        return current().map(Refusal::why);
    }

    boolean isGone() {
        return State.gone(state);
    }

    private Optional<Refusal> current() {
        while (true) {
            State now = state;
            Optional<Refusal> refusal = State.refusal(now);
            if (refusal.isEmpty() || !refusal.get().over()) {
                return refusal;
            }
            if (STATE.compareAndSet(this, now, State.of(Optional.empty(), now.hold))) {
                LOG.log(System.Logger.Level.INFO, "{0}: usable again, the last abandoned thread has left", address);
            }
        }
    }

    /// Not to be used until these threads too have left the mediation they are in.
    void isolate(List<Abandoned> threads) {
        STATE.updateAndGet(this, now -> State.gone(now) ? now : new State(Optional.of(new Refusal(Errno.EIO,
            "isolated until an abandoned thread leaves its mediator",
            State.refusal(now).map(before -> Stream.concat(before.until.stream(), threads.stream()).toList())
                .orElseGet(() -> List.copyOf(threads)))), State.hold(now)));
    }

    /// Never to be used again; what is held meets that.
    ///
    /// @return false when that was known
    boolean gone(String why) {
        State before = STATE.getAndUpdate(this, now -> State.gone(now) ? now
            : new State(Optional.of(new Refusal(Errno.ENODEV, why, List.of())), Optional.empty()));
        State.hold(before).ifPresent(Hold::end);
        return !State.gone(before);
    }

    /// The hold that accesses are to wait for, or null. Asked for each access that is not within another.
    Hold held() {
        State now = state;
        return now == null ? null : now.hold.orElse(null);
    }

    /// Has accesses that begin from now on wait.
    ///
    /// @throws VfioException EBUSY when they do already, and say why; ENODEV when it has gone
    void hold(Hold hold) throws VfioException {
        while (true) {
            State now = state;
            if (State.gone(now)) {
                check();
            }
            Optional<Hold> present = State.hold(now);
            if (present.isPresent()) {
                throw new VfioException(Errno.EBUSY, "device=%s held: %s".formatted(address, present.get().why()));
            }
            if (STATE.compareAndSet(this, now, State.of(State.refusal(now), Optional.of(hold)))) {
                return;
            }
        }
    }

    /// Accesses go on; without effect when the hold is over.
    void release(Hold hold) {
        STATE.updateAndGet(this, now -> State.hold(now).filter(present -> present == hold).isPresent()
            ? State.of(now.refusal, Optional.empty()) : now);
        hold.end();
    }
}
