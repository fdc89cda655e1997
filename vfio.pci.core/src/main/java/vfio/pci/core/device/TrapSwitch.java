// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.binding.Context;

/// Switches trapping on, and waits until it is so for all clients that take part: those that may have mapped a disablable area have said
/// that they have not any more, have unmapped it here, or have gone. No lock is held while a client is told or waited for, but the
/// device's turn may be.
final class TrapSwitch {
    private final OpenDevice device;
    private final Interests interests;
    private final Object lock = new Object();
    /// Guarded by the lock: how many wait, and how often something happened that they may wait for.
    private int waiting;
    private long heard;

    TrapSwitch(OpenDevice device, Interests interests) {
        this.device = device;
        this.interests = interests;
    }

    /// As [vfio.pci.api.mediation.MediationContext#trap] with true.
    void on(Context asker) throws VfioException {
        boolean waits = !device.mediation().isInAccess();
        if (waits) {
            // Before the clients are told: what they say is to be taken from then on.
            begin();
        }
        try {
            if (!interests.trap(asker, true)) {
                throw new VfioException(Errno.EOPNOTSUPP, "mediation=ended expected=one that is bound");
            }
            Optional<DeviceHandle> silent = waits ? awaitNone(this::silent) : Optional.empty();
            if (silent.isPresent()) {
                interests.trap(asker, false);
                throw new VfioException(Errno.ETIMEDOUT, "device=%s client=%s acknowledged=0x%x expected=trapping within %d ms"
                    .formatted(device.address(), silent.get().client().name(), silent.get().acknowledged(),
                        device.settings().acknowledgeTimeout().toMillis()));
            }
        } finally {
            if (waits) {
                end();
            }
        }
    }

    private void begin() {
        synchronized (lock) {
            waiting++;
        }
    }

    private void end() {
        synchronized (lock) {
            waiting--;
        }
    }

    /// Something happened that may be waited for: a client acknowledged, unmapped or went.
    void heard() {
        synchronized (lock) {
            heard++;
            lock.notifyAll();
        }
    }

    private long count() {
        synchronized (lock) {
            return heard;
        }
    }

    /// Where an acknowledgement of this client's is waited for, if one is.
    OptionalInt awaits(DeviceHandle handle) {
        synchronized (lock) {
            if (waiting == 0) {
                return OptionalInt.empty();
            }
        }
        Optional<Integer> region = handle.takesPart() ? interests.shownIn() : Optional.empty();
        return region.isPresent() ? OptionalInt.of(region.get()) : OptionalInt.empty();
    }

    /// Whether a client is told when the areas of a region change.
    boolean tellsAreas(DeviceHandle handle, int region) {
        return device.irqs().takes(handle, IrqInfo.Type.REGION_AREAS, region);
    }

    /// Waits until all clients have acted, at most as long as configured, or until it is interrupted, which is kept.
    ///
    /// @param notYet looks for one that has not; asked again when one acknowledged, unmapped or went
    /// @return one that has not
    Optional<DeviceHandle> awaitNone(Supplier<Optional<DeviceHandle>> notYet) {
        long deadline = System.nanoTime() + device.settings().acknowledgeTimeout().toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                long before = count();
                Optional<DeviceHandle> silent = notYet.get();
                if (silent.isEmpty() || interrupted || System.nanoTime() - deadline >= 0) {
                    return silent;
                }
                interrupted = !awaitChange(before, deadline);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// @return false when interrupted: who waits is wanted elsewhere
    private boolean awaitChange(long before, long deadline) {
        synchronized (lock) {
            try {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()) + 1;
                if (heard == before && left > 0) {
                    lock.wait(left);
                }
                return true;
            } catch (InterruptedException e) {
                return false;
            }
        }
    }

    private Optional<DeviceHandle> silent() {
        List<Claim> areas = interests.disablable();
        int generation = interests.generation();
        return device.handles().stream()
            .filter(handle -> handle.takesPart() && handle.acknowledged() != generation && handle.reaches(areas)).findFirst();
    }
}
