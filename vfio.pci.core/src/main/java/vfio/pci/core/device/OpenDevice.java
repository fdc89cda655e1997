// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.mediation.DeviceState;
import vfio.pci.api.mediation.SharedMemory;
import vfio.pci.core.binding.Abandoned;
import vfio.pci.core.binding.BoundDevice;
import vfio.pci.core.binding.Context;
import vfio.pci.core.binding.Faults;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.config.ConfigSpace;
import vfio.pci.core.dma.DmaMap;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.region.AddedRegion;
import vfio.pci.core.region.Caller;
import vfio.pci.core.region.MigrationRegion;
import vfio.pci.core.region.Region;

/// A function that is open: it owns what outlives code (BAR memory, shared memory, the DMA map, the interrupts), and lends it to the
/// function and to the
/// mediation.
public final class OpenDevice implements BoundDevice, LentResources {
    private static final System.Logger LOG = System.getLogger(OpenDevice.class.getName());

    private final PciFunction described;
    private final DeviceSettings settings;
    private final ReentrantLock turn;
    private final Executor later;
    private final Map<Integer, DeviceMemory> barMemories = new HashMap<>();
    private final Map<String, DeviceMemory> sharedMemories = new HashMap<>();
    private final DmaMap dma;
    private final IrqTable irqs;
    private final BoundFunction function;
    private final ConfigSpace config;
    private final DeviceRegions regions;
    private final DeviceMediation mediation = new DeviceMediation(this);
    private final List<DeviceHandle> handles = new CopyOnWriteArrayList<>();
    private final DeviceTotals totals = new DeviceTotals();
    private final AtomicLong functionFaults = new AtomicLong();
    private volatile Unusable unusable;
    private Runnable whenLast = () -> { };

    /// Why accesses are refused.
    private record Unusable(Errno errno, String why, List<Abandoned> until) {
    }

    /// Binds the function to the driver `vfio-pci` and builds the device; nobody mediates it yet. The turn is held.
    ///
    /// @throws VfioException EBUSY when another driver has the function; what function or system answer; nothing is left behind
    OpenDevice(PciFunction described, DeviceSettings settings, ReentrantLock turn, Executor later) throws VfioException {
        this.described = described;
        this.settings = settings;
        this.turn = turn;
        this.later = later;
        this.dma = new DmaMap(settings.mostMaps());
        this.irqs = new IrqTable(described.interruptVectors(), this::vectorEnabled);
        BoundFunction bound = null;
        try {
            for (Bar bar : described.bars()) {
                if (!bar.memoryLike().isEmpty()) {
                    barMemories.put(bar.index(), DeviceMemory.create("vfio-" + described.address() + "-bar" + bar.index(), bar.size()));
                }
            }
            bound = described.bind("vfio-pci", this);
            this.function = bound;
            this.config = new ConfigSpace(described, bound);
            this.regions = new DeviceRegions(described, bound, config, barMemories, this::reset);
        } catch (VfioException | RuntimeException e) {
            if (bound != null) {
                bound.close();
            }
            barMemories.values().forEach(DeviceMemory::close);
            throw e;
        }
    }

    PciFunction described() {
        return described;
    }

    /// Where it sits.
    public PciAddress address() {
        return described.address();
    }

    DeviceSettings settings() {
        return settings;
    }

    DeviceMediation mediation() {
        return mediation;
    }

    DeviceRegions regions() {
        return regions;
    }

    IrqTable irqs() {
        return irqs;
    }

    DmaMap dmaMap() {
        return dma;
    }

    // ---- turn

    /// Takes the device's turn unless the deadline passes first.
    boolean takeTurn(long deadlineNanos) {
        try {
            return turn.tryLock(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return turn.tryLock();
        }
    }

    void endTurn() {
        turn.unlock();
    }

    /// Has something done soon, not on this thread.
    void later(Runnable task) {
        later.execute(task);
    }

    // ---- use

    /// Refuses accesses to a device that has gone or is isolated.
    void checkUsable() throws VfioException {
        Unusable now = unusable;
        if (now != null) {
            refuse(now);
        }
    }

    private void refuse(Unusable now) throws VfioException {
        if (!now.until.isEmpty() && now.until.stream().noneMatch(thread -> thread.still().getAsBoolean())) {
            unusable = null;
            LOG.log(System.Logger.Level.INFO, "{0}: usable again, the last abandoned thread has left", address());
            return;
        }
        throw new VfioException(now.errno, "device=%s %s".formatted(address(), now.why));
    }

    /// Accesses fail until these threads have left the mediation they are in.
    void isolate(List<Abandoned> until) {
        if (unusable == null) {
            unusable = new Unusable(Errno.EIO, "isolated until an abandoned thread leaves its mediator", List.copyOf(until));
        }
    }

    /// Whether the function has gone, or the device was closed.
    boolean hasGone() {
        Unusable now = unusable;
        return now != null && now.errno == Errno.ENODEV;
    }

    Optional<String> isolated() {
        return Optional.ofNullable(unusable).map(Unusable::why);
    }

    /// A bug of the function's: told, counted, and answered EIO.
    VfioException functionFault(Throwable bug) {
        Unusable now = unusable;
        if (now != null) {
            // memory was taken from under an access that was already on its way
            return new VfioException(now.errno, "device=%s %s".formatted(address(), now.why));
        }
        long count = functionFaults.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(System.Logger.Level.ERROR, "{0}: fault {1} of the function: {2}", address(), count, Faults.describe(bug));
        }
        return new VfioException(Errno.EIO, "device=%s failed with %s".formatted(address(), bug.getClass().getSimpleName()));
    }

    private void vectorEnabled(InterruptKind kind, int vector, boolean enabled) {
        if (unusable == null) {
            function.vectorEnabled(kind, vector, enabled);
        }
    }

    // ---- handles

    DeviceHandle addHandle(Client client) {
        DeviceHandle handle = new DeviceHandle(this, client);
        handles.add(handle);
        return handle;
    }

    /// Says what is to be done, with the turn held, when the last handle was closed.
    void whenLastHandleCloses(Runnable action) {
        whenLast = action;
    }

    /// A handle was closed.
    void closed(DeviceHandle handle) {
        turn.lock();
        try {
            if (handles.remove(handle) && handles.isEmpty()) {
                whenLast.run();
            }
        } finally {
            turn.unlock();
        }
    }

    /// Keeps the counts of a port that is closed.
    void retired(AccessCounters counters) {
        totals.add(counters);
    }

    /// Asks the mediators in turn. The turn is held.
    void askMediators(List<Mediator> inOrder) {
        mediation.ask(inOrder);
    }

    /// Ends the mediation if it is this mediator's.
    public void unbind(Mediator mediator) {
        mediation.bindingOf(mediator).ifPresent(binding -> mediation.unbind(binding, "its mediator has gone"));
    }

    /// The function goes, or the core stops: everybody is told and nothing works any more. The turn is held.
    void gone(String why) {
        if (hasGone()) {
            return;
        }
        irqs.raise(IrqIndex.REQ, 0);
        unusable = new Unusable(Errno.ENODEV, why, List.of());
        irqs.raise(IrqIndex.ERR, 0);
        mediation.end(why);
        function.close();
        handles.forEach(DeviceHandle::tellGone);
    }

    /// The last handle was closed. The turn is held.
    void close() {
        mediation.end("the device was closed");
        unusable = new Unusable(Errno.ENODEV, "closed", List.of());
        function.close();
        irqs.close();
        barMemories.values().forEach(DeviceMemory::close);
        synchronized (sharedMemories) {
            sharedMemories.values().forEach(DeviceMemory::close);
        }
    }

    // ---- what clients ask for

    RegionInfo regionInfo(int index, Client client) throws VfioException {
        Region region = regions.at(index);
        try {
            boolean withDisablable = settings.mapDisablable() || client.has(Client.Feature.DISABLABLE_AREAS);
            return RegionView.cut(mediation.describe(index, region), region, withDisablable);
        } catch (RuntimeException | LinkageError | StackOverflowError | InternalError e) {
            throw infoFault(e);
        }
    }

    VfioException infoFault(Throwable bug) {
        var binding = mediation.gate().peek();
        return binding == null ? functionFault(bug) : mediation.fault(binding, bug);
    }

    /// Resets the device.
    void reset() throws VfioException {
        turn.lock();
        try {
            checkUsable();
            function.reset();
            config.reset();
            irqs.reset();
            mediation.reset();
        } finally {
            turn.unlock();
        }
    }

    /// A client wrote the migration state.
    void changeState(MigrationRegion region, DeviceState to) throws VfioException {
        turn.lock();
        try {
            mediation.changeState(region, to);
        } finally {
            turn.unlock();
        }
    }

    AccessStats stats() {
        DeviceTotals now = totals.copy();
        handles.forEach(handle -> handle.counters().forEach(now::add));
        return now.stats(irqs.taken(), dma);
    }

    Optional<String> mediatorName() {
        return mediation.mediatorName();
    }

    /// Regions that have a size, for people.
    List<RegionInfo> presentRegions() {
        List<RegionInfo> present = new ArrayList<>();
        for (int i = 0; i < regions.count(); i++) {
            try {
                RegionInfo info = regionInfo(i, Client.standard("status"));
                if (info.size() > 0) {
                    present.add(info);
                }
            } catch (VfioException e) {
                LOG.log(System.Logger.Level.DEBUG, "{0}: region={1}: {2}", address(), i, e.getMessage());
            }
        }
        return present;
    }

    /// Interrupts that have vectors, for people.
    List<IrqInfo> presentIrqs() {
        return irqs.present();
    }

    /// Names of who has it open.
    public List<String> clients() {
        return handles.stream().map(handle -> handle.client().name()).toList();
    }

    // ---- what a function is lent

    @Override
    public MemorySegment barMemory(int bar) {
        DeviceMemory memory = barMemories.get(bar);
        return memory == null ? MemorySegment.NULL : memory.memory();
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    @Override
    public Interrupts interrupts() {
        return irqs;
    }

    // ---- what a mediation reaches

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        checkUsable();
        Region target = regions.at(region);
        target.check(region, offset, count);
        target.checkOwn(region, offset, count);
        target.read(Caller.NOBODY, offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        checkUsable();
        Region target = regions.at(region);
        target.check(region, offset, count);
        target.checkOwn(region, offset, count);
        target.write(Caller.NOBODY, offset, buffer, bufferOffset, count);
    }

    @Override
    public RegionInfo regionInfoBelow(int region) throws VfioException {
        return regions.at(region).info();
    }

    @Override
    public int addRegion(Context owner, long size, Optional<SharedMemory> backing, RegionInfo info) {
        Optional<DeviceMemory> memory = backing.map(DeviceMemory.class::cast);
        if (memory.isPresent() && memory.get().size() < size) {
            throw new IllegalArgumentException("size=0x%x backing=0x%x expected=at least that".formatted(size, memory.get().size()));
        }
        return regions.add(index -> new AddedRegion(new RegionInfo(index, size, flags(info), info.capabilities()), memory));
    }

    private static Set<RegionInfo.Flag> flags(RegionInfo info) {
        return info.flags().isEmpty() ? EnumSet.of(RegionInfo.Flag.READ, RegionInfo.Flag.WRITE) : info.flags();
    }

    @Override
    public int addIrq(int count, IrqInfo.Type type) {
        return irqs.special(count, type);
    }

    @Override
    public boolean raise(int irq, int vector) {
        return irqs.raise(irq, vector);
    }

    @Override
    public void claimsChanged(Context owner) {
        mediation.claimsChanged(owner);
    }

    @Override
    public void trap(boolean on) {
        mediation.trap(on);
    }

    @Override
    public boolean trapping() {
        return mediation.trapping();
    }

    @Override
    public SharedMemory sharedMemory(String name, long size) throws VfioException {
        if (size <= 0 || size % Bar.PAGE_SIZE != 0) {
            throw new VfioException(Errno.EINVAL, "memory=%s size=0x%x expected=whole pages".formatted(name, size));
        }
        synchronized (sharedMemories) {
            DeviceMemory present = sharedMemories.get(name);
            if (present == null) {
                present = DeviceMemory.create("vfio-" + address() + "-" + name, size);
                sharedMemories.put(name, present);
            } else if (present.size() != size) {
                throw new VfioException(Errno.EINVAL, "memory=%s size=0x%x expected=0x%x".formatted(name, size, present.size()));
            }
            return present;
        }
    }
}
