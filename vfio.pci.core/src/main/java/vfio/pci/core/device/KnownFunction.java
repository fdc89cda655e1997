// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.PciFunction;
import vfio.pci.core.binding.Mediator;

/// A function the core knows of, and its device while that is open.
public final class KnownFunction {
    private final PciFunction function;
    private final Executor later;
    private final ReentrantLock turn = new ReentrantLock(true);
    private volatile Optional<OpenDevice> device = Optional.empty();
    private volatile AccessStats lastStats = AccessStats.ZERO;
    private volatile boolean gone;

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

    /// Opens the device, or opens it once more.
    ///
    /// @throws VfioException EBUSY when another driver has the function, ENODEV when it has gone
    public VfioDevice open(Client client, List<Mediator> inOrder, DeviceSettings settings) throws VfioException {
        turn.lock();
        try {
            if (gone) {
                throw new VfioException(Errno.ENODEV, "address=%s has gone".formatted(function.address()));
            }
            if (device.isEmpty()) {
                OpenDevice opened = new OpenDevice(function, settings, turn, later);
                opened.whenLastHandleCloses(() -> closed(opened));
                // Before anybody is asked: a mediator that goes looks for its devices here, and must find one it has just accepted.
                device = Optional.of(opened);
                opened.askMediators(inOrder);
            }
            return device.get().addHandle(client);
        } finally {
            turn.unlock();
        }
    }

    /// The last handle was closed. The turn is held.
    private void closed(OpenDevice closing) {
        lastStats = closing.stats();
        closing.close();
        device = Optional.empty();
    }

    /// The function goes, or the core stops.
    public void gone(String why) {
        turn.lock();
        try {
            gone = true;
            device.ifPresent(open -> open.gone(why));
        } finally {
            turn.unlock();
        }
    }

    /// A snapshot for people.
    public DeviceStatus status() {
        Optional<OpenDevice> open = device;
        return new DeviceStatus(function.address(), function.id(), function.physicalFunction(), function.driver(),
            open.map(OpenDevice::clients).orElse(List.of()),
            open.flatMap(OpenDevice::mediatorName),
            open.map(OpenDevice::trapping).orElse(false),
            open.flatMap(OpenDevice::isolated),
            open.map(OpenDevice::presentRegions).orElse(List.of()),
            open.map(OpenDevice::presentIrqs).orElse(List.of()));
    }

    /// Counters since it was opened; of the last time, when it is not open.
    public AccessStats stats() {
        return device.map(OpenDevice::stats).orElse(lastStats);
    }
}
