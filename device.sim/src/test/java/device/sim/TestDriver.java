// SPDX-License-Identifier: Apache-2.0
package device.sim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/// A driver as the tests need one: lends memory, keeps what was raised, and reads and writes by width.
public final class TestDriver implements LentResources, Interrupts, AutoCloseable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(0x1000, 8);
    private final Map<Integer, MemorySegment> memory = new HashMap<>();
    private final GuestRam ram = new GuestRam();
    private final List<Integer> raised = new ArrayList<>();
    private final BoundFunction function;
    private volatile boolean taking = true;
    private volatile boolean pin;

    private TestDriver(PciFunction function, String name) throws VfioException {
        for (Bar bar : function.bars()) {
            memory.put(bar.index(), bar.memoryLike().isEmpty() ? MemorySegment.NULL : arena.allocate(bar.size(), Bar.PAGE_SIZE));
        }
        this.function = function.bind(name, this);
    }

    /// Binds the function as `vfio-pci`.
    public static TestDriver bind(PciFunction function) throws VfioException {
        return bind(function, "vfio-pci");
    }

    /// Binds the function under a name.
    public static TestDriver bind(PciFunction function, String name) throws VfioException {
        return new TestDriver(function, name);
    }

    /// What was bound.
    public BoundFunction function() {
        return function;
    }

    /// The client's side of the memory behind a BAR.
    public MemorySegment mapped(int bar) {
        return memory.get(bar);
    }

    /// From now on takes interrupts or does not.
    public void take(boolean on) {
        taking = on;
    }

    /// Vectors taken since the last call.
    public List<Integer> raised() {
        synchronized (raised) {
            List<Integer> all = List.copyOf(raised);
            raised.clear();
            return all;
        }
    }

    /// The memory that the device reaches.
    public GuestRam ram() {
        return ram;
    }

    /// Level of the pin.
    public boolean pin() {
        return pin;
    }

    /// Reads a BAR.
    public long read(int bar, long offset, int width) throws VfioException {
        buffer.fill((byte) 0);
        function.readBar(bar, offset, buffer, 3, width);
        return buffer.get(LONG, 3);
    }

    /// Writes a BAR.
    public void write(int bar, long offset, int width, long value) throws VfioException {
        buffer.set(LONG, 3, value);
        function.writeBar(bar, offset, buffer, 3, width);
    }

    /// Reads 32 bits of BAR 0.
    public int read(int offset) throws VfioException {
        return (int) read(0, offset, 4);
    }

    /// Writes 32 bits of BAR 0.
    public void write(int offset, int value) throws VfioException {
        write(0, offset, 4, value);
    }

    /// Reads config space.
    public long config(int offset, int width) throws VfioException {
        buffer.fill((byte) 0);
        function.readConfig(offset, buffer, 5, width);
        return buffer.get(LONG, 5);
    }

    /// Writes config space.
    public void config(int offset, int width, long value) throws VfioException {
        buffer.set(LONG, 5, value);
        function.writeConfig(offset, buffer, 5, width);
    }

    /// All of config space.
    public byte[] configBytes() throws VfioException {
        byte[] bytes = new byte[function.configSize()];
        function.readConfig(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        return bytes;
    }

    @Override
    public MemorySegment barMemory(int bar) {
        return memory.get(bar);
    }

    @Override
    public DmaSpace dma() {
        return ram;
    }

    @Override
    public Interrupts interrupts() {
        return this;
    }

    @Override
    public boolean raise(InterruptKind kind, int vector) {
        if (taking) {
            synchronized (raised) {
                raised.add(vector);
            }
        }
        return taking;
    }

    @Override
    public void intx(boolean asserted) {
        pin = asserted;
    }

    /// Unbinds, and makes every later touch of the lent memory fail.
    @Override
    public void close() {
        function.close();
        arena.close();
        ram.close();
    }
}
