// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.core.binding.Abandoned;

/// Whether a device may be used: not while a thread that was given up is still in a mediation of it, and never again when it has gone.
final class Usability {
    private static final System.Logger LOG = System.getLogger(Usability.class.getName());

    private final PciAddress address;
    private final AtomicReference<Refusal> refusal = new AtomicReference<>();

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

    /// Refuses what is asked of a device that has gone or is isolated.
    void check() throws VfioException {
        if (refusal.get() != null) {
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
        Refusal now = refusal.get();
        return now != null && now.errno == Errno.ENODEV;
    }

    private Optional<Refusal> current() {
        Refusal now = refusal.get();
        while (now != null && now.over()) {
            if (refusal.compareAndSet(now, null)) {
                LOG.log(System.Logger.Level.INFO, "{0}: usable again, the last abandoned thread has left", address);
            }
            now = refusal.get();
        }
        return Optional.ofNullable(now);
    }

    /// Not to be used until these threads too have left the mediation they are in.
    void isolate(List<Abandoned> threads) {
        refusal.updateAndGet(now -> now != null && now.errno == Errno.ENODEV ? now : new Refusal(Errno.EIO,
            "isolated until an abandoned thread leaves its mediator",
            now == null ? List.copyOf(threads) : Stream.concat(now.until.stream(), threads.stream()).toList()));
    }

    /// Never to be used again.
    ///
    /// @return false when that was known
    boolean gone(String why) {
        Refusal before = refusal.getAndUpdate(
            now -> now != null && now.errno == Errno.ENODEV ? now : new Refusal(Errno.ENODEV, why, List.of()));
        return before == null || before.errno != Errno.ENODEV;
    }
}
