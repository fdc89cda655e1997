// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.dma.DmaMap;

/// The memory that clients let the device reach, with the say that its mediations have in it: they are asked before a window is made, and
/// told
/// when one went. All of it is done in the device's turn, as are resets and exchanges, so that no window is missed by a mediation that
/// comes.
final class DmaWindows {
    private final OpenDevice device;
    private final DmaMap map;
    /// Windows that went while somebody was stuck in the turn; told when it can be had again. No more than windows can be made without it.
    private final Queue<DmaWindow> untold = new ConcurrentLinkedQueue<>();

    DmaWindows(OpenDevice device, DmaMap map) {
        this.device = device;
        this.map = map;
    }

    /// Closes what a mapping was to be made of.
    static void letGo(DmaBacking backing) {
        switch (backing) {
            case DmaBacking.File file -> file.fd().close();
            case DmaBacking.FileIo file -> file.fd().close();
            case DmaBacking.Remote remote -> remote.memory().close();
            case DmaBacking.Segment _, DmaBacking.Unreachable _ -> {
            }
        }
    }

    /// As [vfio.pci.api.device.VfioDevice#dmaMap].
    ///
    /// @throws VfioException also what the mediation refuses it with; EIO when it fails; EBUSY when a vendor's code has the turn for longer
    ///     than an exchange may take
    void map(Object owner, DmaMapping mapping) throws VfioException {
        if (!takeTurn()) {
            letGo(mapping.backing());
            throw new VfioException(Errno.EBUSY, "device=%s iova=0x%x is being opened, reset or moved for too long".formatted(
                device.address(), mapping.iova()));
        }
        try {
            tellUntold();
            map.map(owner, mapping, window -> ask(device.mediation().present().reversed(), window));
        } finally {
            device.turn().unlock();
        }
    }

    /// As [vfio.pci.api.device.VfioDevice#dmaUnmap]. The memory goes in any case.
    void unmap(Object owner, long iova, long size) throws VfioException {
        boolean turns = takeTurn();
        try {
            tell(map.unmap(owner, iova, size), turns);
        } finally {
            endTurn(turns);
        }
    }

    /// Takes away everything of this owner.
    void unmapAll(Object owner) {
        boolean turns = takeTurn();
        try {
            tell(map.unmapAll(owner), turns);
        } finally {
            endTurn(turns);
        }
    }

    int limit() {
        return map.limit();
    }

    /// Tells a mediation that is being bound of what is there. The turn is held, if not by the calling thread then on its behalf.
    void tellPresent(Binding binding) {
        tellUntold();
        map.windows().forEach(binding::dmaPresent);
    }

    /// Asks the highest mediation first. Those that had agreed before one refuses learn that the window is not there.
    private void ask(List<Binding> topFirst, DmaWindow window) throws VfioException {
        int agreed = 0;
        try {
            for (Binding binding : topFirst) {
                ask(binding, window);
                agreed++;
            }
        } finally {
            if (agreed < topFirst.size()) {
                topFirst.subList(0, agreed).forEach(binding -> tell(binding, window));
            }
        }
    }

    private void ask(Binding binding, DmaWindow window) throws VfioException {
        try {
            binding.dmaMap(window);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw device.mediation().fault(binding, e);
        }
    }

    private void tell(List<DmaWindow> gone, boolean turns) {
        untold.addAll(gone);
        if (turns) {
            tellUntold();
        }
    }

    private void tellUntold() {
        for (DmaWindow window = untold.poll(); window != null; window = untold.poll()) {
            for (Binding binding : device.mediation().present()) {
                tell(binding, window);
            }
        }
    }

    private void tell(Binding binding, DmaWindow window) {
        try {
            binding.dmaUnmap(window);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            device.mediation().fault(binding, e);
        }
    }

    /// As long as an exchange of mediators may take, which has it.
    private boolean takeTurn() {
        return device.takeTurn(device.settings().drainTimeout().multipliedBy(2));
    }

    private void endTurn(boolean turns) {
        if (turns) {
            device.turn().unlock();
        }
    }
}
