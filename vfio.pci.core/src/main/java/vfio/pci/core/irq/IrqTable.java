// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.irq;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.Interrupts;

/// All interrupts of one open device: the five fixed ones and those a mediation added. An index never moves.
public final class IrqTable implements Interrupts {
    private final List<IrqLine> lines = new CopyOnWriteArrayList<>();
    private final LongAdder taken = new LongAdder();
    private final VectorListener listener;
    private final BooleanSupplier intxDisabled;
    private volatile Relay relay = Relay.NONE;

    /// Told of the function's interrupts before anybody gets them.
    @FunctionalInterface
    public interface Relay {
        /// Nobody.
        Relay NONE = (kind, vector) -> { };

        /// On a thread of the function.
        void raised(InterruptKind kind, int vector);
    }

    /// Told which vectors of the function somebody takes.
    @FunctionalInterface
    public interface VectorListener {
        /// Called with no lock held.
        void vectorEnabled(InterruptKind kind, int vector, boolean enabled);
    }

    /// The interrupts of a function with these vectors.
    ///
    /// @param intxDisabled whether the client keeps the INTx pin from signalling, by its command register; asked with a lock held
    public IrqTable(InterruptVectors vectors, VectorListener listener, BooleanSupplier intxDisabled) {
        this.listener = listener;
        this.intxDisabled = intxDisabled;
        Set<IrqInfo.Flag> message = EnumSet.of(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.NORESIZE);
        add(vectors.intx(), EnumSet.of(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.MASKABLE, IrqInfo.Flag.AUTOMASKED));
        add(vectors.msi(), message);
        add(vectors.msix(), message);
        add(1, message);
        add(1, message);
    }

    private void add(int count, Set<IrqInfo.Flag> flags) {
        BooleanSupplier disabled = lines.isEmpty() ? intxDisabled : () -> false;
        lines.add(new IrqLine(new IrqInfo(lines.size(), count, count == 0 ? Set.of() : flags, Optional.empty()), disabled));
    }

    /// Finds the device-specific interrupt of this type and size that was added first, or adds one: an index outlives who added it.
    ///
    /// @return its index
    public synchronized int special(int count, IrqInfo.Type type) {
        for (IrqLine line : lines) {
            if (line.info().type().equals(Optional.of(type)) && line.info().count() == count) {
                return line.info().index();
            }
        }
        return add(count, type);
    }

    /// Adds a device-specific interrupt.
    ///
    /// @return its index
    public synchronized int add(int count, IrqInfo.Type type) {
        int index = lines.size();
        lines.add(new IrqLine(new IrqInfo(index, count, EnumSet.of(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.NORESIZE), Optional.of(type)),
            () -> false));
        return index;
    }

    /// The device-specific interrupt of a type, if one was added.
    public OptionalInt special(IrqInfo.Type type) {
        return lines.stream().map(IrqLine::info).filter(info -> info.type().equals(Optional.of(type))).mapToInt(IrqInfo::index).findFirst();
    }

    /// Whether a client takes a vector of a device-specific interrupt.
    public boolean takes(Object client, IrqInfo.Type type, int vector) {
        OptionalInt index = special(type);
        return index.isPresent() && lines.get(index.getAsInt()).takes(client, vector);
    }

    /// Has somebody told of message interrupts from now on.
    public void relay(Relay next) {
        relay = next;
    }

    /// How many there are.
    public int count() {
        return lines.size();
    }

    /// What is known of one.
    ///
    /// @throws VfioException EINVAL for an index that does not exist
    public IrqInfo info(int index) throws VfioException {
        return line(index).info();
    }

    /// All that have vectors.
    public List<IrqInfo> present() {
        return lines.stream().map(IrqLine::info).filter(info -> info.count() > 0).toList();
    }

    /// As [vfio.pci.api.device.VfioDevice#setIrqTriggers].
    public void assign(Object client, int index, int start, List<IrqTrigger> triggers) throws VfioException {
        IrqLine line;
        try {
            line = line(index);
        } catch (VfioException e) {
            triggers.forEach(IrqTrigger::close);
            throw e;
        }
        boolean[] enabled = line.assign(client, start, triggers);
        for (int i = 0; i < enabled.length; i++) {
            tell(index, start + i, enabled[i]);
        }
    }

    /// As [vfio.pci.api.device.VfioDevice#disableIrq].
    public void disable(Object client, int index) throws VfioException {
        line(index).disable(client).forEach(vector -> tell(index, vector, false));
    }

    /// Disables what a client owns.
    public void disableAllOf(Object client) {
        for (IrqLine line : lines) {
            if (line.ownedBy(client)) {
                line.disableWhoever().forEach(vector -> tell(line.info().index(), vector, false));
            }
        }
    }

    /// As [vfio.pci.api.device.VfioDevice#maskIrq].
    public void mask(Object client, int index, int start, int count) throws VfioException {
        line(index).mask(client, start, count);
    }

    /// As [vfio.pci.api.device.VfioDevice#unmaskIrq].
    public void unmask(Object client, int index, int start, int count) throws VfioException {
        line(index).unmask(client, start, count);
    }

    /// As [vfio.pci.api.device.VfioDevice#fireIrq].
    public void fire(Object client, int index, int start, int count) throws VfioException {
        taken.add(line(index).fire(client, start, count));
    }

    /// Signals a vector of any interrupt.
    ///
    /// @return whether somebody took it
    public boolean raise(int index, int vector) {
        boolean done = index >= 0 && index < lines.size() && lines.get(index).raise(vector);
        if (done) {
            taken.increment();
        }
        return done;
    }

    @Override
    public boolean raise(InterruptKind kind, int vector) {
        relay.raised(kind, vector);
        return raise(indexOf(kind), vector);
    }

    @Override
    public void intx(boolean asserted) {
        if (lines.get(IrqIndex.INTX).level(asserted)) {
            taken.increment();
        }
    }

    /// The client may have let the INTx pin signal again: a level that is set is told.
    public void intxEnabledAgain() {
        if (lines.get(IrqIndex.INTX).levelAgain()) {
            taken.increment();
        }
    }

    /// The device was reset: the pin is low and not masked. Triggers stay, as in Linux: a client that wants them gone says so.
    public void reset() {
        lines.get(IrqIndex.INTX).reset();
    }

    /// Gives all triggers up.
    public void close() {
        lines.forEach(IrqLine::disableWhoever);
    }

    /// Interrupts that somebody took.
    public long taken() {
        return taken.sum();
    }

    private void tell(int index, int vector, boolean enabled) {
        switch (index) {
            case IrqIndex.INTX -> listener.vectorEnabled(InterruptKind.INTX, vector, enabled);
            case IrqIndex.MSI -> listener.vectorEnabled(InterruptKind.MSI, vector, enabled);
            case IrqIndex.MSIX -> listener.vectorEnabled(InterruptKind.MSIX, vector, enabled);
            default -> {
                // not the function's
            }
        }
    }

    private static int indexOf(InterruptKind kind) {
        return switch (kind) {
            case INTX -> IrqIndex.INTX;
            case MSI -> IrqIndex.MSI;
            case MSIX -> IrqIndex.MSIX;
        };
    }

    private IrqLine line(int index) throws VfioException {
        if (index < 0 || index >= lines.size()) {
            throw new VfioException(Errno.EINVAL, "irq=%d expected=below %d".formatted(index, lines.size()));
        }
        return lines.get(index);
    }
}
