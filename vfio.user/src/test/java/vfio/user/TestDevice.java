// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import linux.sys.Mapping;
import linux.sys.Memfd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DeviceInfo;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.migration.Migration;

/// A device that is plain memory: BAR0 64 KiB with two areas that can be mapped, BAR2 4 MiB trapped, config space, a device-specific
/// region. It counts what is asked of it, and can be told to block or to go.
final class TestDevice implements VfioDevice {
    static final int BAR0_SIZE = 0x10000;
    static final int BAR2_SIZE = 0x400000;
    static final int SPECIFIC = 9;
    /// Accesses at this offset of BAR2 wait for a permit of [#blocked].
    static final long BLOCKING = 0x3FF000;

    /// Accesses at this offset of BAR2 run [#onAccess].
    static final long CALLING = 0x3FE000;

    /// What a device does within an access.
    interface Action {
        void run() throws VfioException;
    }

    final PciAddress address;
    final Client client;
    final List<String> calls = new CopyOnWriteArrayList<>();
    final Map<Long, DmaMapping> mappings = new TreeMap<>();
    final Map<Integer, IrqTrigger> triggers = new HashMap<>();
    volatile int mostMaps = Integer.MAX_VALUE;
    final AtomicInteger inside = new AtomicInteger();
    final Semaphore blocked = new Semaphore(0);
    final Mapping bar0;
    volatile Action onAccess = () -> { };
    /// Whether its memory is lent to who reads.
    volatile boolean lends;
    final AtomicInteger lendings = new AtomicInteger();
    /// How often somebody was told to come back, and how many are inside.
    final AtomicInteger refusals = new AtomicInteger();
    final AtomicInteger entries = new AtomicInteger();
    /// Who wants to be told; guarded by itself, as is whether accesses wait.
    private final Set<Runnable> waiting = new LinkedHashSet<>();
    private boolean held;
    volatile boolean closed;
    /// Ports that are open, and whether the last of them was closed.
    private final AtomicInteger ports = new AtomicInteger();
    volatile boolean portClosed;
    final List<Doorbell> doorbells = new CopyOnWriteArrayList<>();
    /// When set, resets fail with it.
    volatile Errno resetFailure;
    /// When set, masking fails with it.
    volatile Errno maskFailure;
    /// The region where it waits for an acknowledgement, if it does.
    volatile OptionalInt awaited = OptionalInt.empty();
    /// How it is moved, if it can be.
    volatile Migration migration;
    private final OwnedFd bar0File;
    private final Map<Integer, MemorySegment> memory = new HashMap<>();
    private final List<Runnable> goneListeners = new ArrayList<>();
    private volatile boolean gone;

    TestDevice(PciAddress address, Client client) throws VfioException {
        this.address = address;
        this.client = client;
        bar0File = Memfd.create("bar0", BAR0_SIZE, true);
        bar0 = Mapping.of(bar0File, 0, BAR0_SIZE, true, true);
        memory.put(RegionIndex.BAR0, bar0.memory());
        memory.put(2, Arena.ofAuto().allocate(BAR2_SIZE, 8));
        memory.put(RegionIndex.CONFIG, MemorySegment.ofArray(new long[256 / 8]));
        memory.put(SPECIFIC, MemorySegment.ofArray(new long[0x1000 / 8]));
    }

    void goAway() {
        List<Runnable> told;
        synchronized (goneListeners) {
            gone = true;
            told = List.copyOf(goneListeners);
            goneListeners.clear();
        }
        told.forEach(Runnable::run);
    }

    @Override
    public PciAddress address() {
        return address;
    }

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(true, 10, 6);
    }

    @Override
    public RegionInfo regionInfo(int index) throws VfioException {
        check(index, 10, "region");
        Set<RegionInfo.Flag> readWrite = Set.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE);
        return switch (index) {
            case RegionIndex.BAR0 -> new RegionInfo(index, BAR0_SIZE, Set.of(RegionInfo.Flag.values()), List.of(
                new RegionCapability.SparseMmap(List.of(new MmapArea(0x1000, 0x1000, false), new MmapArea(0x8000, 0x2000, true)))));
            case 2 -> new RegionInfo(index, BAR2_SIZE, readWrite, List.of());
            case RegionIndex.CONFIG -> new RegionInfo(index, 256, readWrite, List.of());
            case SPECIFIC -> new RegionInfo(index, 0x1000, readWrite, List.of(RegionCapability.Type.MIGRATION));
            default -> RegionInfo.absent(index);
        };
    }

    @Override
    public IrqInfo irqInfo(int index) throws VfioException {
        check(index, 6, "irq");
        return switch (index) {
            case 0 -> new IrqInfo(0, 1, Set.of(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.MASKABLE, IrqInfo.Flag.AUTOMASKED), Optional.empty());
            case 1 -> new IrqInfo(1, 0, Set.of(), Optional.empty());
            case 2 -> new IrqInfo(2, 20, Set.of(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.NORESIZE), Optional.empty());
            default -> new IrqInfo(index, 1, Set.of(IrqInfo.Flag.EVENTFD), Optional.empty());
        };
    }

    private static void check(int index, int count, String name) throws VfioException {
        if (index < 0 || index >= count) {
            throw new VfioException(Errno.EINVAL, name + "=" + index);
        }
    }

    @Override
    public List<Doorbell> doorbells(int region) throws VfioException {
        regionInfo(region);
        return doorbells.stream().filter(doorbell -> doorbell.bar() == region).toList();
    }

    @Override
    public DevicePort port() {
        ports.incrementAndGet();
        return new DevicePort() {
            @Override
            public void read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
                MemorySegment.copy(TestDevice.this.enter(region, offset, count), offset, buffer, bufferOffset, count);
                inside.decrementAndGet();
            }

            @Override
            public boolean lend(int region, long offset, int count, Borrower borrower) throws VfioException {
                MemorySegment lent = TestDevice.this.enter(region, offset, count);
                inside.decrementAndGet();
                if (!lends) {
                    return false;
                }
                lendings.incrementAndGet();
                borrower.take(lent, offset, count);
                return true;
            }

            @Override
            public void write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
                MemorySegment.copy(buffer, bufferOffset, TestDevice.this.enter(region, offset, count), offset, count);
                inside.decrementAndGet();
            }

            @Override
            public boolean enter(Runnable released) {
                return enterOrWait(released);
            }

            @Override
            public void leave() {
                entries.decrementAndGet();
            }

            @Override
            public void close() {
                portClosed = ports.decrementAndGet() == 0;
            }
        };
    }

    /// Accesses wait from now on.
    void hold() {
        synchronized (waiting) {
            held = true;
        }
    }

    /// They go on.
    void release() {
        List<Runnable> woken;
        synchronized (waiting) {
            held = false;
            woken = List.copyOf(waiting);
            waiting.clear();
        }
        woken.forEach(Runnable::run);
    }

    private boolean enterOrWait(Runnable released) {
        synchronized (waiting) {
            if (held) {
                waiting.add(released);
                refusals.incrementAndGet();
                return false;
            }
        }
        entries.incrementAndGet();
        return true;
    }

    private MemorySegment enter(int region, long offset, int count) throws VfioException {
        if (gone) {
            throw new VfioException(Errno.ENODEV, "gone");
        }
        MemorySegment bytes = memory.get(region);
        if (bytes == null || offset > bytes.byteSize() - count) {
            throw new VfioException(Errno.EINVAL, "region=%d offset=0x%x count=0x%x".formatted(region, offset, count));
        }
        if (closed || portClosed) {
            throw new IllegalStateException("access after close");
        }
        inside.incrementAndGet();
        if (region == 2 && offset == CALLING) {
            try {
                onAccess.run();
            } catch (VfioException e) {
                inside.decrementAndGet();
                throw e;
            }
        }
        if (region == 2 && offset == BLOCKING) {
            blocked.acquireUninterruptibly();
        }
        return bytes;
    }

    MemorySegment memory(int region) {
        return Objects.requireNonNull(memory.get(region));
    }

    @Override
    public RegionMap map(int region, long offset, long length) throws VfioException {
        throw new VfioException(Errno.EOPNOTSUPP, "not used by the server");
    }

    @Override
    public Optional<OwnedFd> regionFile(int region) {
        return region == RegionIndex.BAR0 ? Optional.of(bar0File) : Optional.empty();
    }

    @Override
    public synchronized void setIrqTriggers(int index, int start, List<IrqTrigger> taken) throws VfioException {
        calls.add("set index=%d start=%d count=%d".formatted(index, start, taken.size()));
        if (index == 4) {
            taken.forEach(IrqTrigger::close);
            throw new VfioException(Errno.EBUSY, "irq=4 belongs to another client");
        }
        for (int i = 0; i < taken.size(); i++) {
            IrqTrigger before = triggers.put(index << 16 | start + i, taken.get(i));
            if (before != null) {
                before.close();
            }
        }
    }

    synchronized IrqTrigger trigger(int index, int vector) {
        return triggers.getOrDefault(index << 16 | vector, IrqTrigger.NONE);
    }

    @Override
    public synchronized void disableIrq(int index) {
        calls.add("disable index=" + index);
        triggers.entrySet().removeIf(entry -> {
            boolean its = entry.getKey() >>> 16 == index;
            if (its) {
                entry.getValue().close();
            }
            return its;
        });
    }

    @Override
    public void maskIrq(int index, int start, int count) throws VfioException {
        calls.add("mask index=%d start=%d count=%d".formatted(index, start, count));
        if (maskFailure != null) {
            throw new VfioException(maskFailure, "for the test");
        }
    }

    @Override
    public void unmaskIrq(int index, int start, int count) {
        calls.add("unmask index=%d start=%d count=%d".formatted(index, start, count));
    }

    @Override
    public void fireIrq(int index, int start, int count) {
        calls.add("fire index=%d start=%d count=%d".formatted(index, start, count));
        for (int i = 0; i < count; i++) {
            trigger(index, start + i).signal();
        }
    }

    @Override
    public synchronized void dmaMap(DmaMapping mapping) throws VfioException {
        calls.add("map iova=0x%x size=0x%x".formatted(mapping.iova(), mapping.size()));
        if (mappings.putIfAbsent(mapping.iova(), mapping) != null) {
            release(mapping);
            throw new VfioException(Errno.EEXIST, "iova=0x%x".formatted(mapping.iova()));
        }
    }

    private static void release(DmaMapping mapping) {
        switch (mapping.backing()) {
            case DmaBacking.File file -> file.fd().close();
            case DmaBacking.FileIo file -> file.fd().close();
            case DmaBacking.Remote remote -> remote.memory().close();
            case DmaBacking.Segment _, DmaBacking.Unreachable _ -> {
            }
        }
    }

    @Override
    public int mostDmaMaps() {
        return mostMaps;
    }

    @Override
    public synchronized void dmaUnmap(long iova, long size) throws VfioException {
        calls.add("unmap iova=0x%x size=0x%x".formatted(iova, size));
        for (DmaMapping mapping : List.copyOf(mappings.values())) {
            boolean apart = mapping.iova() + mapping.size() <= iova || mapping.iova() >= iova + size;
            if (!apart && (mapping.iova() < iova || mapping.iova() + mapping.size() > iova + size)) {
                throw new VfioException(Errno.EINVAL, "iova=0x%x size=0x%x cuts a mapping".formatted(iova, size));
            }
            if (!apart) {
                release(mappings.remove(mapping.iova()));
            }
        }
    }

    @Override
    public synchronized void dmaUnmapAll() {
        calls.add("unmap all");
        mappings.values().forEach(TestDevice::release);
        mappings.clear();
    }

    @Override
    public OptionalInt awaitsAcknowledgementIn() {
        return awaited;
    }

    @Override
    public void reset() throws VfioException {
        calls.add("reset");
        if (resetFailure != null) {
            throw new VfioException(resetFailure, "for the test");
        }
    }

    @Override
    public Optional<Migration> migration() {
        return Optional.ofNullable(migration);
    }

    @Override
    public int registerEvent(Runnable event) throws VfioException {
        throw new VfioException(Errno.EOPNOTSUPP, "not used by the server");
    }

    @Override
    public void onGone(Runnable listener) {
        synchronized (goneListeners) {
            if (!gone) {
                goneListeners.add(listener);
                return;
            }
        }
        listener.run();
    }

    @Override
    public synchronized void close() {
        if (!portClosed || closed || inside.get() != 0) {
            calls.add("closed out of order");
        }
        dmaUnmapAll();
        triggers.values().forEach(IrqTrigger::close);
        triggers.clear();
        bar0.close();
        bar0File.close();
        closed = true;
    }
}
