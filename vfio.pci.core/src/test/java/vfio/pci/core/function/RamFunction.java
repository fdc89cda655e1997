// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.function;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/// The simplest hardware there can be: its registers are plain bytes, memory-like pages are the lent ones, and what its driver does to it
/// is recorded. Of a large BAR only the first part has registers.
public final class RamFunction implements PciFunction {
    /// Where it sits.
    public static final PciAddress ADDRESS = PciAddress.parse("0000:3b:02.0");
    /// BAR0: 64 KiB of which the first three pages are memory-like.
    public static final Bar BAR0 = new Bar(0, Bar.Kind.MEMORY_64, true, 0x10000, List.of(new Range(0, 0x2000), new Range(0x2000, 0x1000)));
    /// BAR3: 16 KiB, all memory-like, with the MSI-X table in its first page and the pending bits in its third.
    public static final Bar BAR3 = new Bar(3, Bar.Kind.MEMORY_64, true, 0x4000, List.of(new Range(0, 0x4000)));

    /// Done to it, in order: `vector MSIX 1 true`, `reset`, `close`.
    public final List<String> done = new CopyOnWriteArrayList<>();
    /// How often registers were read or written.
    public final AtomicInteger accesses = new AtomicInteger();
    /// What its driver lent it last.
    public volatile LentResources lent;
    /// Thrown by whatever is called next.
    public volatile Runnable bug = () -> { };
    /// What it says can be written by an event.
    public volatile List<Doorbell> doorbells = List.of();

    /// Whether it tells of doorbells.
    public volatile boolean tells;
    /// How often it was asked to tell.
    public final AtomicInteger taps = new AtomicInteger();

    /// Held while the function is about something, as real ones do.
    private final ReentrantLock inside = new ReentrantLock();
    private volatile Optional<DoorbellTap> tap = Optional.empty();

    /// Of BAR0. Compared with, since a walk over its ranges would allocate an iterator, which is not the core's to answer for.
    private static final long MEMORY_LIKE_END = 0x3000;
    private static final long MOST_REGISTERS = 0x10_0000;

    private final PciId id;
    private final List<Bar> bars;
    private final InterruptVectors vectors;
    private final byte[] initialConfig;
    private volatile Optional<String> driver = Optional.empty();
    private volatile boolean gone;

    /// A function of this description.
    public RamFunction(List<Bar> bars, InterruptVectors vectors, byte[] config) {
        this.id = new PciId(0x8086, 0x154C, 0x020000, 0x02, 0x8086, 0x0000);
        this.bars = List.copyOf(bars);
        this.vectors = vectors;
        this.initialConfig = config.clone();
    }

    /// A function with two BARs, an INTx pin, 5 MSI-X vectors and PCI Express.
    public static RamFunction ordinary() {
        return new RamFunction(List.of(BAR0, BAR3), new InterruptVectors(1, 4, 5), new ConfigBytes(4096).msi(0x50)
            .msix(0x70, 5, 3, 0, 3, 0x2000).express(0xA0).bytes());
    }

    /// Sets what is thrown from now on.
    public void failsWith(RuntimeException exception) {
        bug = () -> {
            throw exception;
        };
    }

    /// It works again.
    public void works() {
        bug = () -> { };
    }

    /// A doorbell in memory was written, and the function, which the calling thread is of, takes it.
    public void ring(int bar, long offset, int value) {
        inside.lock();
        try {
            tap.ifPresent(told -> told.doorbell(bar, offset, value));
        } finally {
            inside.unlock();
        }
    }

    /// Who is told of doorbells.
    public DoorbellTap tap() {
        return tap.orElseThrow();
    }

    /// It goes away.
    public void goes() {
        gone = true;
    }

    /// Another driver takes it, or gives it back.
    public void driver(Optional<String> other) {
        driver = other;
    }

    @Override
    public PciAddress address() {
        return ADDRESS;
    }

    @Override
    public List<Doorbell> doorbells() {
        return doorbells;
    }

    @Override
    public PciId id() {
        return id;
    }

    @Override
    public List<Bar> bars() {
        return bars;
    }

    @Override
    public InterruptVectors interruptVectors() {
        return vectors;
    }

    @Override
    public Optional<PciAddress> physicalFunction() {
        return Optional.empty();
    }

    @Override
    public Optional<String> driver() {
        return driver;
    }

    @Override
    public synchronized BoundFunction bind(String newDriver, LentResources resources) throws VfioException {
        bug.run();
        if (gone) {
            throw new VfioException(Errno.ENODEV, "address=%s has gone".formatted(ADDRESS));
        }
        if (driver.isPresent()) {
            throw new VfioException(Errno.EBUSY, "address=%s driver=%s".formatted(ADDRESS, driver.get()));
        }
        driver = Optional.of(newDriver);
        lent = resources;
        return new Bound();
    }

    /// The registers, in the hands of a driver.
    private final class Bound extends BoundFunction {
        private final MemorySegment config = Arena.ofAuto().allocate(initialConfig.length);
        private final MemorySegment[] registers = new MemorySegment[Bar.ROM + 1];
        private volatile boolean closed;

        Bound() {
            MemorySegment.copy(initialConfig, 0, config, ValueLayout.JAVA_BYTE, 0, initialConfig.length);
            for (Bar bar : bars) {
                registers[bar.index()] = Arena.ofAuto().allocate(Math.min(bar.size(), MOST_REGISTERS));
            }
        }

        private void check() throws VfioException {
            bug.run();
            if (closed || gone) {
                throw new VfioException(Errno.ENODEV, "address=%s has gone".formatted(ADDRESS));
            }
        }

        @Override
        public int configSize() {
            return initialConfig.length;
        }

        @Override
        public void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            check();
            MemorySegment.copy(config, offset, buffer, bufferOffset, count);
        }

        @Override
        public void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            check();
            for (int i = 0; i < count; i++) {
                byte value = buffer.get(ValueLayout.JAVA_BYTE, bufferOffset + i);
                byte present = config.get(ValueLayout.JAVA_BYTE, offset + i);
                int clears = offset + i == ConfigBytes.STATUS_HIGH ? ConfigBytes.STATUS_HIGH_WRITE_ONE_TO_CLEAR : 0;
                config.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (clears == 0 ? value : present & ~(value & clears)));
            }
        }

        private MemorySegment memory(int bar, long offset) {
            return bar == BAR0.index() && offset < MEMORY_LIKE_END ? lent.barMemory(bar) : registers[bar];
        }

        @Override
        public void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            check();
            accesses.incrementAndGet();
            MemorySegment.copy(memory(bar, offset), offset, buffer, bufferOffset, count);
        }

        @Override
        public void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            check();
            accesses.incrementAndGet();
            MemorySegment.copy(buffer, bufferOffset, memory(bar, offset), offset, count);
        }

        @Override
        public boolean tapDoorbells(Optional<DoorbellTap> next) throws VfioException {
            check();
            taps.incrementAndGet();
            inside.lock();
            try {
                tap = tells ? next : Optional.empty();
            } finally {
                inside.unlock();
            }
            return tells;
        }

        @Override
        public void reset() throws VfioException {
            check();
            inside.lock();
            inside.unlock();
            done.add("reset");
            MemorySegment.copy(initialConfig, 0, config, ValueLayout.JAVA_BYTE, 0, initialConfig.length);
            bars.forEach(bar -> registers[bar.index()].fill((byte) 0));
        }

        @Override
        public void vectorEnabled(InterruptKind kind, int vector, boolean enabled) {
            bug.run();
            done.add("vector " + kind + " " + vector + " " + enabled);
        }

        @Override
        public void close() {
            if (!closed) {
                inside.lock();
                inside.unlock();
                tap = Optional.empty();
                closed = true;
                done.add("close");
                driver = Optional.empty();
                bug.run();
            }
        }
    }
}
