// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;
import vfio.pci.api.function.PciFunction;
import vfio.pci.api.migration.Migration;
import vfio.pci.core.binding.Abandoned;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.config.ConfigSpace;
import vfio.pci.core.dma.DmaMap;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.migration.MigrationEngine;
import vfio.pci.core.region.Region;

/// A function that is open: it owns what outlives code (BAR memory, shared memory, the DMA map, the interrupts), and lends it to the
/// function and to the mediation.
public final class OpenDevice implements LentResources {
    private static final System.Logger LOG = System.getLogger(OpenDevice.class.getName());

    private static final String DRIVER = "vfio-pci";

    private final PciFunction described;
    private final DeviceSettings settings;
    private final ReentrantLock turn;
    private final Executor later;
    private final BarMemories barMemories;
    private final DmaMap dma;
    private final DmaWindows windows;
    private final IrqTable irqs;
    private final AddedIrqs addedIrqs;
    private final CurrentFunction function;
    private final ConfigSpace config;
    private final DeviceRegions regions;
    private final Interests interests;
    private final SharedMemories memories = new SharedMemories(this);
    private final DeviceMediation mediation;
    private final TrapSwitch trapSwitch;
    private final Usability usability;
    private final FunctionBorder border;
    private final List<DeviceHandle> handles = new CopyOnWriteArrayList<>();
    private final DeviceTotals totals = new DeviceTotals();
    private final AtomicBoolean closing = new AtomicBoolean();
    private volatile Runnable whenLast = () -> { };

    /// Binds the function to the driver `vfio-pci` and builds the device; nobody mediates it yet. The turn is held.
    ///
    /// @throws VfioException EBUSY when another driver has the function; what function or system answer; nothing is left behind
    OpenDevice(PciFunction described, DeviceSettings settings, ReentrantLock turn, Executor later) throws VfioException {
        this.described = described;
        this.settings = settings;
        this.turn = turn;
        this.later = later;
        this.dma = new DmaMap(settings.mostMaps());
        this.windows = new DmaWindows(this, dma);
        this.irqs = new IrqTable(described.interruptVectors(), this::vectorEnabled, this::intxDisabled);
        this.addedIrqs = new AddedIrqs(irqs);
        this.usability = new Usability(described.address());
        this.border = new FunctionBorder(described.address(), usability);
        this.interests = new Interests(described.address(), irqs);
        this.mediation = new DeviceMediation(this, interests);
        this.trapSwitch = new TrapSwitch(this, interests);
        this.barMemories = new BarMemories(described);
        CurrentFunction bound = null;
        boolean done = false;
        try {
            bound = new CurrentFunction(described.bind(DRIVER, this));
            this.function = bound;
            this.config = new ConfigSpace(described, bound);
            this.regions = new DeviceRegions(described, bound, config, barMemories, this::reset, irqs::intxEnabledAgain);
            interests.watch(regions::watch);
            done = true;
        } finally {
            if (!done) {
                border.close(bound);
                barMemories.close();
            }
        }
    }

    PciFunction described() {
        return described;
    }

    BoundFunction function() {
        return function;
    }

    List<DeviceHandle> handles() {
        return handles;
    }

    /// Lets the function go and binds it again. Its accesses wait, and the turn is held.
    ///
    /// @throws VfioException when it cannot be had again
    void bindAfresh() throws VfioException {
        function.close();
        function.replace(described.bind(DRIVER, this));
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

    Interests interests() {
        return interests;
    }

    TrapSwitch trapSwitch() {
        return trapSwitch;
    }

    /// Has the function tell all layers of doorbells.
    ///
    /// @return whether it does; then it is done with what was tapped before
    boolean tapDoorbells() throws VfioException {
        return function.tapDoorbells(Optional.of(mediation.doorbellTap()));
    }

    SharedMemories memories() {
        return memories;
    }

    DeviceRegions regions() {
        return regions;
    }

    IrqTable irqs() {
        return irqs;
    }

    DmaWindows dmaWindows() {
        return windows;
    }

    AddedIrqs addedIrqs() {
        return addedIrqs;
    }

    // ---- turn

    ReentrantLock turn() {
        return turn;
    }

    /// Takes the device's turn if it can be had within the drain timeout: whoever has it longer is stuck in a vendor's code. An
    /// interrupt is kept for later.
    boolean takeTurn() {
        return takeTurn(settings.drainTimeout());
    }

    /// The same with another bound.
    boolean takeTurn(Duration bound) {
        long deadline = System.nanoTime() + bound.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return turn.tryLock(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Has something done soon, not on this thread.
    void later(Runnable task) {
        try {
            later.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0}: the core stops, and takes all devices away", address());
        }
    }

    // ---- use

    /// Refuses what is asked of a device that has gone or is isolated.
    void checkUsable() throws VfioException {
        usability.check();
    }

    /// Accesses fail until these threads too have left the mediation they are in.
    void isolate(List<Abandoned> until) {
        usability.isolate(until);
    }

    /// Whether the function has gone, or the device was closed.
    boolean hasGone() {
        return usability.isGone();
    }

    Optional<String> isolated() {
        return usability.why();
    }

    // ---- hold

    /// The hold that accesses are to wait for, or null.
    Hold held() {
        return usability.held();
    }

    Usability usability() {
        return usability;
    }

    /// A bug of the function's: told, counted, and answered EIO.
    VfioException functionFault(Throwable bug) {
        return border.fault(bug);
    }

    /// The function may raise it before there is a config space.
    private boolean intxDisabled() {
        return config != null && config.intxDisabled();
    }

    private void vectorEnabled(InterruptKind kind, int vector, boolean enabled) {
        border.vectorEnabled(function, kind, vector, enabled);
    }

    // ---- handles

    DeviceHandle addHandle(Client client) {
        DeviceHandle handle = new DeviceHandle(this, client);
        handles.add(handle);
        if (usability.isGone()) {
            handle.tellGone();
        }
        return handle;
    }

    /// Says what is to be done when the last handle was closed, once.
    void whenLastHandleCloses(Runnable action) {
        whenLast = action;
    }

    /// A handle was closed.
    void closed(DeviceHandle handle) {
        boolean turns = takeTurn();
        try {
            if (handles.remove(handle) && handles.isEmpty() && closing.compareAndSet(false, true)) {
                whenLast.run();
            }
        } finally {
            if (turns) {
                turn.unlock();
            }
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

    /// Begins to end the mediation if it is this mediator's: nobody enters it any more.
    ///
    /// @return what is left to be done
    Optional<MediationEnd> beginEndOf(Mediator mediator) {
        return mediation.beginEndOf(mediator, "its mediator has gone");
    }

    /// Whether this mediator has it.
    boolean isOf(Mediator mediator) {
        return this.mediation.layerOf(mediator).isPresent();
    }

    /// The function goes, or the core stops: everybody is told and nothing works any more. The turn need not be held.
    void gone(String why) {
        if (usability.isGone()) {
            return;
        }
        irqs.raise(IrqIndex.REQ, 0);
        if (!usability.gone(why)) {
            return;
        }
        irqs.raise(IrqIndex.ERR, 0);
        mediation.end(why);
        mediation.whenDoorbellsLeft(() -> border.close(function));
        handles.forEach(DeviceHandle::tellGone);
    }

    /// The last handle was closed.
    void close() {
        mediation.end("the device was closed");
        usability.gone("closed");
        mediation.whenDoorbellsLeft(() -> {
            border.close(function);
            irqs.close();
            barMemories.close();
            memories.close();
        });
    }

    // ---- what clients ask for

    /// What a client is told of a region.
    ///
    /// @param withDisablable whether the client may map areas that can be switched to trapped
    RegionInfo regionInfo(int index, boolean withDisablable) throws VfioException {
        Region region = regions.at(index);
        return RegionView.cut(mediation.views().describe(index, region), region, withDisablable);
    }

    /// The name of a client that takes no part in trapping, and by its memory may reach registers of a BAR.
    Optional<String> mappedByOutsider() {
        return handles.stream().filter(handle -> !handle.takesPart() && handle.maps().reachBar())
            .map(handle -> handle.client().name()).findFirst();
    }

    /// Resets the device.
    void reset() throws VfioException {
        turn.lock();
        try {
            checkUsable();
            mediation.stopDoorbellsForReset();
            function.reset();
            config.reset();
            irqs.reset();
            mediation.reset();
        } finally {
            turn.unlock();
        }
    }

    Optional<Migration> migration() {
        return mediation.migration();
    }

    /// The device as its migration sees it.
    ///
    /// @param layer whose mediation moves it
    MigrationEngine.Device moved(Layer layer) {
        return new MovedDevice(described.id(), turn, dma, () -> mediation.checkWhole(layer));
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
                RegionInfo info = regionInfo(i, settings.mapDisablable());
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
        return barMemories.map(bar);
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    @Override
    public Interrupts interrupts() {
        return irqs;
    }
}
