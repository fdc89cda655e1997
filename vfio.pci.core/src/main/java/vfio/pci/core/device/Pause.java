// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.time.Duration;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// A time in which nothing happens to a device but what the calling thread does: its accesses wait, and its turn is held. What vendors are
/// asked meanwhile has a deadline each, so that all of it ends well before a client gives up.
final class Pause implements AutoCloseable {
    private final OpenDevice device;
    private final Hold hold;
    private final long begin;

    private Pause(OpenDevice device, Hold hold, long begin) {
        this.device = device;
        this.hold = hold;
        this.begin = begin;
    }

    /// Begins one. An access under way may need the turn, so that accesses are waited for first.
    ///
    /// @throws VfioException EBUSY when the device is held already, or its turn cannot be had; ETIMEDOUT when an access does not end
    static Pause begin(OpenDevice device, String why) throws VfioException {
        long begin = System.nanoTime();
        Hold hold = Hold.begin(device, why, device.settings().drainTimeout().multipliedBy(2));
        if (!device.takeTurn()) {
            hold.release();
            throw new VfioException(Errno.EBUSY, "device=%s is being opened, reset or moved for longer than %s".formatted(device.address(),
                device.settings().drainTimeout()));
        }
        return new Pause(device, hold, begin);
    }

    /// When so many quarters of the pause are over, on the clock of [System#nanoTime()].
    long quarter(int quarters) {
        return begin + quarters * device.settings().drainTimeout().toNanos() / 2;
    }

    /// Half a quarter later than that.
    long quarterAndHalf(int quarters) {
        return quarter(quarters) + device.settings().drainTimeout().toNanos() / 4;
    }

    Duration lasted() {
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    @Override
    public void close() {
        device.turn().unlock();
        hold.release();
    }
}
