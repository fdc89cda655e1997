// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/// A PCI function with a simulated device behind it. Thread-safe; binding and every access take the device's lock for a short time.
public final class SimulatedFunction implements PciFunction {
    private final FunctionDescription description;
    private final DeviceModel model;
    private volatile Optional<Binding> binding = Optional.empty();
    /// Whether the binding still reaches the device; guarded by the device's lock. One that is being closed does not, and keeps its place
    /// until everything it lent is out of use.
    private boolean inForce;
    private volatile boolean present;
    private volatile Runnable driverChanged = () -> { };

    /// A function that is not plugged in yet.
    public SimulatedFunction(FunctionDescription description, DeviceModel model) {
        this.description = description;
        this.model = model;
    }

    /// What is behind it.
    public DeviceModel model() {
        return model;
    }

    @Override
    public PciAddress address() {
        return description.address();
    }

    @Override
    public PciId id() {
        return description.id();
    }

    @Override
    public List<Bar> bars() {
        return description.bars();
    }

    @Override
    public List<Doorbell> doorbells() {
        return description.doorbells();
    }

    @Override
    public InterruptVectors interruptVectors() {
        return description.vectors();
    }

    @Override
    public Optional<PciAddress> physicalFunction() {
        return description.physicalFunction();
    }

    @Override
    public Optional<String> driver() {
        return binding.map(Binding::driver);
    }

    @Override
    public BoundFunction bind(String driver, LentResources lent) throws VfioException {
        Objects.requireNonNull(driver, "driver");
        Binding next = new Binding(this, driver);
        Lent taken = model.take(lent);
        synchronized (model.lock()) {
            if (!present) {
                throw new VfioException(Errno.ENODEV, "address=%s expected=a function that is plugged in".formatted(address()));
            }
            if (binding.isPresent()) {
                throw new VfioException(Errno.EBUSY, "address=%s driver=%s".formatted(address(), binding.get().driver()));
            }
            model.lendLocked(taken);
            binding = Optional.of(next);
            inForce = true;
        }
        // Outside the lock: this fires service events, and a listener may call right back.
        driverChanged.run();
        return next;
    }

    /// Makes the function there to be bound.
    ///
    /// @param onDriverChanged told, with no lock held, after a driver was bound or unbound
    public void appear(Runnable onDriverChanged) {
        driverChanged = onDriverChanged;
        present = true;
    }

    /// Whether it is there to be bound.
    public boolean present() {
        return present;
    }

    /// Ends binding: from now on nobody new gets the function. Who has it keeps it until [#vanish()].
    public void leave() {
        synchronized (model.lock()) {
            present = false;
        }
    }

    /// The function is gone: whoever still had it gets ENODEV from now on, and nothing that was lent is used any more.
    public void vanish() {
        leave();
        boolean bound;
        synchronized (model.lock()) {
            bound = binding.isPresent();
            if (bound) {
                endLocked();
            }
        }
        if (bound) {
            letGo();
        }
        model.recording().ifPresent(FrameRecording::functionGone);
    }

    /// Makes the device raise an interrupt, as [DeviceModel#interruptLocked(int)] says.
    ///
    /// @return whether somebody took it
    /// @throws VfioException EINVAL for a vector the function does not have; ENODEV while nobody drives it
    public boolean interrupt(int vector) throws VfioException {
        InterruptVectors vectors = interruptVectors();
        int count = Math.max(vectors.msix(), Math.max(vectors.msi(), vectors.intx()));
        if (vector < 0 || vector >= count) {
            throw new VfioException(Errno.EINVAL, "address=%s vector=%d expected=0 to %d".formatted(address(), vector, count - 1));
        }
        synchronized (model.lock()) {
            if (!inForce) {
                throw unbound();
            }
            return model.interruptLocked(vector);
        }
    }

    /// What the device's own side sees at an aligned 32-bit word.
    ///
    /// @throws VfioException EINVAL for a word that does not exist; ENODEV for one in memory that a driver would have to lend
    public int peek(int bar, long offset) throws VfioException {
        synchronized (model.lock()) {
            return wordLocked(bar, offset).peek((int) offset);
        }
    }

    /// The device's own side sets an aligned 32-bit word.
    ///
    /// @throws VfioException as [#peek]
    public void poke(int bar, long offset, int value) throws VfioException {
        synchronized (model.lock()) {
            wordLocked(bar, offset).poke((int) offset, value);
        }
    }

    private BarSpace wordLocked(int bar, long offset) throws VfioException {
        BarSpace space = model.spaceLocked(bar);
        if (offset < 0 || offset % Integer.BYTES != 0 || offset > space.bar().size() - Integer.BYTES) {
            throw new VfioException(Errno.EINVAL, "bar=%d offset=0x%x expected=a multiple of 4 below 0x%x".formatted(bar, offset,
                space.bar().size()));
        }
        if (space.isMemory(offset) && !space.attached()) {
            throw unbound();
        }
        return space;
    }

    /// Whether this binding is the one in force. The device's lock is held.
    boolean isBoundLocked(Binding candidate) {
        return inForce && binding.isPresent() && binding.get() == candidate;
    }

    void unbind(Binding closing) {
        synchronized (model.lock()) {
            if (!isBoundLocked(closing)) {
                return;
            }
            endLocked();
        }
        letGo();
        driverChanged.run();
    }

    private void endLocked() {
        if (inForce) {
            inForce = false;
            model.giveBackLocked();
        }
    }

    private void letGo() {
        model.settle();
        synchronized (model.lock()) {
            if (!inForce) {
                binding = Optional.empty();
            }
        }
    }

    private VfioException unbound() {
        return new VfioException(Errno.ENODEV, "address=%s driver=none expected=a bound function".formatted(address()));
    }

    @Override
    public String toString() {
        return address() + " " + id().vendorAndDevice();
    }
}
