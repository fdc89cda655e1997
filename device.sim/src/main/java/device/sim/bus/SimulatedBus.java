// SPDX-License-Identifier: Apache-2.0
package device.sim.bus;

import device.sim.function.SimulatedFunction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;

/// All simulated functions, plugged in or not. A virtual function is there only while its physical function is.
///
/// Thread-safe. Plugging in and out happens one at a time, so that nobody sees half a card: `changing` is held while services come and go.
/// Those who hear of that bind and unbind functions and never come back here.
@Component(service = SimulatedBus.class)
public final class SimulatedBus {
    private final BundleContext context;
    private final ReentrantLock changing = new ReentrantLock();
    private final Map<PciAddress, Slot> slots = new ConcurrentSkipListMap<>();

    /// An empty bus that publishes through this context.
    @Activate
    public SimulatedBus(BundleContext context) {
        this.context = context;
    }

    /// Adds functions and plugs them in, in this order: a physical function before its virtual ones.
    ///
    /// @throws VfioException EEXIST when there is a function at one of the addresses; nothing was added then
    public void add(List<SimulatedFunction> functions) throws VfioException {
        changing.lock();
        try {
            for (SimulatedFunction function : functions) {
                if (slots.containsKey(function.address())) {
                    throw new VfioException(Errno.EEXIST, "address=%s expected=an address without a function".formatted(
                        function.address()));
                }
            }
            functions.forEach(function -> slots.put(function.address(), new Slot(function)));
            functions.forEach(function -> slots.get(function.address()).plug(context));
        } finally {
            changing.unlock();
        }
    }

    /// Plugs functions out, the last first, and forgets them.
    public void remove(List<SimulatedFunction> functions) {
        changing.lock();
        try {
            for (SimulatedFunction function : functions.reversed()) {
                slots.get(function.address()).unplug();
                slots.remove(function.address());
            }
        } finally {
            changing.unlock();
        }
    }

    /// Plugs a function in again; a physical function brings its virtual ones.
    ///
    /// @throws VfioException ENODEV for an unknown address or a virtual function whose physical function is out; EEXIST when it is in
    public void plug(PciAddress address) throws VfioException {
        changing.lock();
        try {
            Slot slot = slot(address);
            if (slot.plugged()) {
                throw new VfioException(Errno.EEXIST, "address=%s state=plugged expected=unplugged".formatted(address));
            }
            Optional<PciAddress> physical = slot.function().physicalFunction();
            if (physical.isPresent() && !slot(physical.get()).plugged()) {
                throw new VfioException(Errno.ENODEV, "address=%s pf=%s expected=its PF is plugged in".formatted(address, physical.get()));
            }
            slot.plug(context);
            virtualFunctionsOf(address).forEach(virtual -> virtual.plug(context));
        } finally {
            changing.unlock();
        }
    }

    /// Plugs a function out; the virtual functions of a physical one go before it.
    ///
    /// @throws VfioException ENODEV for an unknown address, or when it is out
    public void unplug(PciAddress address) throws VfioException {
        changing.lock();
        try {
            Slot slot = slot(address);
            if (!slot.plugged()) {
                throw new VfioException(Errno.ENODEV, "address=%s state=unplugged expected=plugged".formatted(address));
            }
            virtualFunctionsOf(address).reversed().forEach(Slot::unplug);
            slot.unplug();
        } finally {
            changing.unlock();
        }
    }

    /// The function at an address, plugged in or not.
    ///
    /// @throws VfioException ENODEV when there is none; the message lists the known ones
    public SimulatedFunction function(PciAddress address) throws VfioException {
        return slot(address).function();
    }

    /// All functions by address, with whether each is plugged in.
    public Map<SimulatedFunction, Boolean> functions() {
        Map<SimulatedFunction, Boolean> all = new LinkedHashMap<>();
        slots.values().forEach(slot -> all.put(slot.function(), slot.plugged()));
        return all;
    }

    private List<Slot> virtualFunctionsOf(PciAddress address) {
        List<Slot> virtual = new ArrayList<>(slots.values());
        virtual.removeIf(slot -> !slot.function().physicalFunction().equals(Optional.of(address)));
        return virtual;
    }

    private Slot slot(PciAddress address) throws VfioException {
        Slot slot = slots.get(address);
        if (slot == null) {
            throw new VfioException(Errno.ENODEV, "address=%s expected=one of %s".formatted(address, slots.keySet()));
        }
        return slot;
    }
}
