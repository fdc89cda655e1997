// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.core.binding.VendorCall;
import vfio.pci.core.migration.ExchangeFace;
import vfio.pci.core.migration.SavedState;

/// The function behind an open device is bound afresh, in a pause of it. Memory, interrupts and the DMA map are the device's and stay; who
/// is told of doorbells is told by the fresh one. While a client logs writes it is refused: what had been found out about the function
/// before, as where its rings are, ends with it.
final class Renewal {
    private static final int WORD = Integer.BYTES;

    private final OpenDevice device;
    private final Pause pause;
    private final MappedDoorbells doorbells;
    private Optional<SavedState> saved = Optional.empty();

    Renewal(OpenDevice device, Pause pause) {
        this.device = device;
        this.pause = pause;
        this.doorbells = new MappedDoorbells(device);
    }

    /// Does it.
    ///
    /// @throws VfioException EOPNOTSUPP, EBUSY or EIO with the device as it was; EIO also when the state cannot be loaded into the fresh
    ///     function, which is as after a reset then; ENODEV when the function cannot be had again: the device has gone
    Exchange renew() throws VfioException {
        ExchangeFace engine = device.mediation().stay().flatMap(Stay::state)
            .orElseThrow(() -> new VfioException(Errno.EOPNOTSUPP, "device=%s expected=a mediator that can save its state".formatted(
                device.address())));
        device.mediation().checkRenewable();
        vendor("save", 1, () -> saved = Optional.of(engine.takeOut()));
        MemorySegment config = readConfig();
        doorbells.look();
        try {
            device.bindAfresh();
        } catch (VfioException e) {
            device.gone("its function could not be bound again: " + e.getMessage());
            throw new VfioException(Errno.ENODEV, "device=%s has gone: %s".formatted(device.address(), e.getMessage()));
        }
        writeConfig(config);
        vendor("load", 3, () -> {
            device.mediation().reset();
            engine.stopFresh();
            doorbells.lookAtFresh();
            engine.putIn(saved.orElseThrow());
            device.mediation().tapDoorbellsAgain();
            doorbells.ringAgain();
            engine.goOn();
        });
        return new Exchange(device.address(), device.mediation().mediatorName(), Optional.empty(), pause.lasted(), List.of());
    }

    private void vendor(String what, int quarters, VendorCall.Task task) throws VfioException {
        VendorCall call = VendorCall.start("vfio-" + what + "-" + device.address(), task);
        if (!call.await(pause.quarter(quarters))) {
            device.mediation().end("it hung in a renewal: " + what);
            throw new VfioException(Errno.ETIMEDOUT, "device=%s %s hangs; the mediator was given up".formatted(device.address(), what));
        }
        if (call.failure().isPresent()) {
            throw new VfioException(Errno.EIO, "device=%s %s: %s".formatted(device.address(), what, call.failure().get()));
        }
    }

    private MemorySegment readConfig() throws VfioException {
        MemorySegment config = Arena.ofAuto().allocate(device.function().configSize(), WORD);
        device.function().readConfig(0, config, 0, (int) config.byteSize());
        return config;
    }

    /// What can be written of it; the rest stays what it is by itself.
    private void writeConfig(MemorySegment config) throws VfioException {
        for (int at = 0; at < config.byteSize(); at += WORD) {
            device.function().writeConfig(at, config, at, WORD);
        }
    }
}
