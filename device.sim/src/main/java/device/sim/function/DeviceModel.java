// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import device.sim.configspace.ConfigSpace;
import device.sim.register.RegisterFile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import vfio.pci.api.Errno;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.LentResources;

/// One simulated device behind its function: config space, registers, and how it is reset. Extended by each kind of device.
///
/// All state is guarded by [#lock()]; methods that end in `Locked` need it held. A physical function's lock is taken before those of its
/// virtual functions, never after.
public abstract class DeviceModel {
    private final Object lock = new Object();
    private final ConfigSpace config;
    private final MessageInterrupts messages;
    private final List<BarSpace> spaces = new ArrayList<>();

    /// A device that nobody drives yet.
    protected DeviceModel(ConfigSpace config, MessageInterrupts messages) {
        this.config = config;
        this.messages = messages;
    }

    /// Its config space.
    protected final ConfigSpace configLocked() {
        return config;
    }

    /// What the device's own side sees of a register that lives in the lent memory; 0 while nobody drives the function.
    protected final int inMemoryLocked(int bar, int offset) {
        BarSpace space = declared(bar);
        return space.attached() ? space.peek(offset) : 0;
    }

    /// Guards all state of the device.
    protected final Object lock() {
        return lock;
    }

    /// Says what is behind a BAR; for constructors.
    protected final void behind(Bar bar, RegisterFile registers) {
        spaces.add(new BarSpace(bar, registers));
    }

    /// Returns the registers outside the lent memory to their first values and ends what the device was doing.
    protected abstract void resetRegistersLocked();

    /// The parts of the lent memory that are registers, which a reset clears. What is not named here stands for memory beyond the device,
    /// which a function level reset leaves as it is.
    protected abstract Map<Integer, List<Range>> registersInMemory();

    /// Has somebody told of doorbells, as [vfio.pci.api.function.BoundFunction#tapDoorbells] says. Called with no lock held; for devices
    /// that can.
    protected boolean tapDoorbells(Optional<DoorbellTap> tap) {
        return false;
    }

    /// The network's side of it, if it is a network device.
    public Optional<NetworkSide> network() {
        return Optional.empty();
    }

    /// Has its frames recorded, if it is a network device or carries some.
    public Optional<FrameRecording> recording() {
        return Optional.empty();
    }

    /// Makes the device raise an interrupt now, whatever its own enables say.
    ///
    /// @param vector below the number of vectors
    /// @return whether somebody took it
    protected abstract boolean interruptLocked(int vector);

    /// A driver lends what the device may use from now on; for devices that use more than memory and messages.
    protected void attachLocked(Lent lent) {
    }

    /// What was lent is asked back: the device starts nothing with it any more, and [#settle()] waits for what it is in the middle of.
    protected void detachLocked() {
    }

    /// Waits until no thread of the device acts for what was before the last reset or detachment, and completes that. Called with no lock
    /// held, after each of them; for devices that have threads.
    protected void settle() {
    }

    /// A driver wrote into config space, and that has it; for devices to which a field there means something. A reset by it was done.
    protected void configWrittenLocked() {
    }

    /// A driver wrote into memory-like pages through the function, and the memory has it; for devices that have doorbells there.
    protected void memoryWrittenLocked(int bar, long offset, int count) {
    }

    /// Clears the registers that live in the lent memory.
    protected final void clearRegistersInMemoryLocked() {
        registersInMemory().forEach((bar, ranges) -> {
            BarSpace space = declared(bar);
            if (space.attached()) {
                ranges.forEach(space::clear);
            }
        });
    }

    /// Sets a register that lives in the lent memory; has no effect while nobody drives the function.
    protected final void setInMemoryLocked(int bar, int offset, int value) {
        BarSpace space = declared(bar);
        if (space.attached()) {
            space.poke(offset, value);
        }
    }

    /// Reads an aligned 32-bit word behind a BAR as a driver does, for a device that offers more than one way there.
    protected final int readWordLocked(int bar, int offset) {
        return declared(bar).read(offset);
    }

    /// Writes an aligned 32-bit word behind a BAR as a driver does.
    protected final void writeWordLocked(int bar, int offset, int value) {
        declared(bar).write(offset, value);
    }

    private BarSpace declared(int bar) {
        for (BarSpace space : spaces) {
            if (space.bar().index() == bar) {
                return space;
            }
        }
        throw new IllegalArgumentException("bar=%d expected=one that the device declared".formatted(bar));
    }

    /// What a driver lends, with the memory of each BAR that has some. Called without the lock, because it is the driver that answers.
    ///
    /// @throws IllegalArgumentException when some of it is shorter than the pages that the BAR declared
    final Lent take(LentResources lent) {
        Map<Integer, MemorySegment> memory = new HashMap<>();
        for (BarSpace space : spaces) {
            if (!space.bar().memoryLike().isEmpty()) {
                memory.put(space.bar().index(), space.checked(lent.barMemory(space.bar().index())));
            }
        }
        return new Lent(memory, lent.dma(), lent.interrupts());
    }

    final void lendLocked(Lent lent) {
        for (BarSpace space : spaces) {
            if (lent.memory().containsKey(space.bar().index())) {
                space.attach(lent.memory().get(space.bar().index()));
            }
        }
        messages.attach(lent.interrupts());
        clearRegistersInMemoryLocked();
        attachLocked(lent);
    }

    final void giveBackLocked() {
        resetLocked();
        spaces.forEach(BarSpace::detach);
        messages.detach();
        detachLocked();
    }

    final void resetLocked() {
        config.reset();
        messages.reset();
        clearRegistersInMemoryLocked();
        resetRegistersLocked();
    }

    final void vectorEnabledLocked(InterruptKind kind, int vector) {
        messages.vectorEnabled(kind, vector);
    }

    final int configSize() {
        return config.size();
    }

    final void readConfigLocked(long offset, MemorySegment buffer, long bufferOffset, int count) {
        config.read(offset, buffer, bufferOffset, count);
    }

    /// @return whether the function was reset by it
    final boolean writeConfigLocked(long offset, MemorySegment buffer, long bufferOffset, int count) {
        boolean functionLevelReset = config.write(offset, buffer, bufferOffset, count);
        if (functionLevelReset) {
            resetLocked();
        }
        configWrittenLocked();
        return functionLevelReset;
    }

    final BarSpace spaceLocked(int bar) throws VfioException {
        for (int i = 0; i < spaces.size(); i++) {
            if (spaces.get(i).bar().index() == bar) {
                return spaces.get(i);
            }
        }
        throw new VfioException(Errno.EINVAL, "bar=%d expected=a BAR the function has".formatted(bar));
    }
}
