// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.mediators.Chaotic;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;

/**
 * A function that counts what is done to it, register by register as {@link Chaotic} has them: the truth that clients are compared with. It
 * counts on over resets and drivers, and an access is either counted whole or refused.
 */
final class CountedFunction implements PciFunction {
    static final long COUNT_MASK = (1L << Chaotic.COUNT_BITS) - 1;
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final Bar REGISTERS = new Bar(0, Bar.Kind.MEMORY_32, false, 0x1000, List.of());
    private static final PciId ID = new PciId(0x1D6B, 0x0C05, 0xFF0000, 0, 0, 0);
    private static final int MOST_FAULTS = 10;

    private final PciAddress address;
    private final Object lock = new Object();
    /** Guarded by the lock, like all that follows. */
    private final long[] written = new long[Chaotic.THREADS];
    private final long[] taken = new long[Chaotic.THREADS];
    private final List<String> faults = new ArrayList<>();
    private Optional<Bound> driver = Optional.empty();

    CountedFunction(PciAddress address) {
        this.address = address;
    }

    /** Publishes it. */
    ServiceRegistration<PciFunction> publish(BundleContext context) {
        return context.registerService(PciFunction.class, this, new Hashtable<>(Map.of(ADDRESS_PROPERTY, address.toString(),
            ID_PROPERTY, ID.vendorAndDevice())));
    }

    /** How often a client thread wrote. */
    long writes(int thread) {
        synchronized (lock) {
            return written[thread] & COUNT_MASK;
        }
    }

    /** How often a client thread read what counts reads. */
    long reads(int thread) {
        synchronized (lock) {
            return taken[thread];
        }
    }

    /** What was done to it that no client does. */
    List<String> faults() {
        synchronized (lock) {
            return List.copyOf(faults);
        }
    }

    @Override
    public PciAddress address() {
        return address;
    }

    @Override
    public PciId id() {
        return ID;
    }

    @Override
    public List<Bar> bars() {
        return List.of(REGISTERS);
    }

    @Override
    public InterruptVectors interruptVectors() {
        return new InterruptVectors(0, 0, 0);
    }

    @Override
    public Optional<PciAddress> physicalFunction() {
        return Optional.empty();
    }

    @Override
    public Optional<String> driver() {
        synchronized (lock) {
            return driver.map(bound -> bound.name);
        }
    }

    @Override
    public BoundFunction bind(String name, LentResources lent) throws VfioException {
        synchronized (lock) {
            if (driver.isPresent()) {
                throw new VfioException(Errno.EBUSY, "address=%s driver=%s".formatted(address, driver.get().name));
            }
            Bound bound = new Bound(name);
            driver = Optional.of(bound);
            return bound;
        }
    }

    private void fault(String what, int thread, long expected, long value) {
        if (faults.size() < MOST_FAULTS) {
            faults.add("%s thread=%d %s=0x%x expected=0x%x".formatted(address, thread, what, value, expected));
        }
    }

    private void writeLocked(int thread, int register, long value) {
        if (register != Chaotic.WRITTEN) {
            fault("register written", thread, Chaotic.WRITTEN, register);
        }
        long expected = (written[thread] & COUNT_MASK) + 1;
        if ((value & COUNT_MASK) != expected) {
            fault("write", thread, expected, value);
        }
        written[thread] = value;
    }

    private long readLocked(int thread, int register) {
        return switch (register) {
            case Chaotic.WRITTEN -> written[thread];
            case Chaotic.TAKEN -> ++taken[thread];
            default -> 0;
        };
    }

    /** In the hands of a driver. */
    private final class Bound extends BoundFunction {
        private static final int CONFIG_SIZE = 0x100;
        private static final int CLASS = 0x08;
        private final String name;
        private final MemorySegment config = MemorySegment.ofArray(new long[CONFIG_SIZE / Long.BYTES]);

        Bound(String name) {
            this.name = name;
            config.set(WORD, 0, (long) ID.device() << Short.SIZE | ID.vendor());
            config.set(WORD, CLASS, (long) ID.classCode() << Byte.SIZE);
        }

        private void checkLocked() throws VfioException {
            if (driver.filter(bound -> bound == this).isEmpty()) {
                throw new VfioException(Errno.ENODEV, "address=%s driver=%s expected=a driver that is bound".formatted(address, name));
            }
        }

        @Override
        public int configSize() {
            return CONFIG_SIZE;
        }

        @Override
        public void readConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            synchronized (lock) {
                checkLocked();
                MemorySegment.copy(config, offset, buffer, bufferOffset, count);
            }
        }

        @Override
        public void writeConfig(long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            synchronized (lock) {
                checkLocked();
            }
        }

        @Override
        public void readBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            synchronized (lock) {
                checkLocked();
                buffer.set(WORD, bufferOffset, readLocked((int) (offset / Chaotic.STRIDE), (int) (offset % Chaotic.STRIDE)));
            }
        }

        @Override
        public void writeBar(int bar, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
            synchronized (lock) {
                checkLocked();
                writeLocked((int) (offset / Chaotic.STRIDE), (int) (offset % Chaotic.STRIDE), buffer.get(WORD, bufferOffset));
            }
        }

        @Override
        public void reset() throws VfioException {
            synchronized (lock) {
                checkLocked();
            }
        }

        @Override
        public void close() {
            synchronized (lock) {
                driver = driver.filter(bound -> bound != this);
            }
        }
    }
}
