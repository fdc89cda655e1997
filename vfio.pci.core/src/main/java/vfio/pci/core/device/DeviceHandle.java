// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import linux.sys.Mapping;
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
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.Doorbell;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.migration.Migration;
import vfio.pci.core.memory.DeviceMemory;
import vfio.pci.core.region.Caller;
import vfio.pci.core.region.Region;

/// One client's handle of an open device.
final class DeviceHandle implements VfioDevice, Caller {
    private final OpenDevice device;
    private final Client client;
    private final List<AccessPort> ports = new CopyOnWriteArrayList<>();
    private final ClientMaps maps = new ClientMaps(this::unmapped);
    private final ClientCalls calls;
    private final AtomicBoolean closed = new AtomicBoolean();
    /// Whether the client was shown disablable areas for it is told when a region's areas change; for good.
    private volatile boolean shownAreas;
    private volatile int acknowledged;
    /// Indices of regions that the client was told of.
    private final Set<Integer> known = ConcurrentHashMap.newKeySet();

    DeviceHandle(OpenDevice device, Client client) {
        this.device = device;
        this.client = client;
        this.calls = new ClientCalls(device.address(), client);
    }

    Client client() {
        return client;
    }

    private void unmapped() {
        device.trapSwitch().heard();
    }

    /// What it has mapped, or may map by itself.
    ClientMaps maps() {
        return maps;
    }

    /// Whether the client may map disablable areas, so that they trap for it only while they are switched to that.
    boolean told() {
        return device.settings().mapDisablable() || client.has(Client.Feature.DISABLABLE_AREAS);
    }

    /// Whether the client says when it has acted on a switch of trapping: it understands which areas are disablable, or was shown them
    /// because it is told when a region's areas change.
    boolean takesPart() {
        return client.has(Client.Feature.DISABLABLE_AREAS) || shownAreas;
    }

    /// Whether what the client has mapped, or may have, may be a part of these areas.
    boolean reaches(List<Claim> areas) {
        return !closed.get() && areas.stream().anyMatch(maps::reach);
    }

    @Override
    public void acknowledge(int generation) {
        acknowledged = generation;
        maps.acknowledged();
        device.trapSwitch().heard();
    }

    @Override
    public int acknowledged() {
        return acknowledged;
    }

    @Override
    public OptionalInt awaitsAcknowledgementIn() {
        return device.trapSwitch().awaits(this);
    }

    Stream<AccessCounters> counters() {
        return ports.stream().map(AccessPort::counters);
    }

    @Override
    public PciAddress address() {
        return device.address();
    }

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(true, device.regions().count(), device.irqs().count());
    }

    @Override
    public RegionInfo regionInfo(int index) throws VfioException {
        check();
        boolean told = told();
        if (!told && device.trapSwitch().tellsAreas(this, index)) {
            // Before the areas are looked at: a switch that comes now either finds this set, or is seen here.
            shownAreas = true;
            told = !device.interests().trapping();
        }
        RegionInfo info = device.regionInfo(index, told);
        if (info.size() > 0) {
            known.add(index);
        }
        return info;
    }

    /// Whether the client was told that there is something in a region.
    boolean knows(int index) {
        return known.contains(index);
    }

    @Override
    public IrqInfo irqInfo(int index) throws VfioException {
        check();
        return device.irqs().info(index);
    }

    @Override
    public DevicePort port() throws VfioException {
        check();
        AccessPort port = new AccessPort(device, this);
        ports.add(port);
        stayOpen();
        return port;
    }

    /// Waits until no port is in an access.
    ///
    /// @param deadlineNanos on the clock of [System#nanoTime()]
    /// @return false when one is still
    boolean awaitOutside(long deadlineNanos) {
        for (AccessPort port : ports) {
            for (int turn = 0; port.isInside(); turn++) {
                if (System.nanoTime() - deadlineNanos >= 0) {
                    return false;
                }
                if (turn < 100) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(20_000);
                }
            }
        }
        return true;
    }

    void remove(AccessPort port) {
        if (ports.remove(port)) {
            port.retire();
            device.retired(port.counters());
        }
    }

    @Override
    public Optional<Migration> migration() {
        return device.migration();
    }

    @Override
    public RegionMap map(int index, long offset, long length) throws VfioException {
        RegionInfo info = regionInfo(index);
        List<MmapArea> areas = info.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
        if (length <= 0 || (offset | length) % Bar.PAGE_SIZE != 0
            || areas.stream().noneMatch(area -> offset >= area.offset() && offset <= area.end() - length)) {
            throw new VfioException(Errno.EINVAL, "region=%d offset=0x%x length=0x%x expected=pages within one area of %s"
                .formatted(index, offset, length, areas));
        }
        Mapping mapping = mapAsAnswered(index, offset, length);
        ClientMaps.Map map = maps.add(index, offset, mapping);
        checkMappable(map);
        stayOpen();
        return map;
    }

    /// Asked after it was written down what the client gets: who begins to watch doorbells, or switches trapping, looks for it afterwards.
    private void checkMappable(ClientMaps.Map map) throws VfioException {
        if (!device.mediation().isMappable(this)) {
            map.close();
            throw new VfioException(Errno.EBUSY, "device=%s doorbells=watched by messages client=%s expected=a client that takes part"
                .formatted(address(), client.name()));
        }
        if (takesPart() && device.interests().trapping() && device.interests().disablable().stream().anyMatch(map::overlaps)) {
            map.close();
            throw new VfioException(Errno.EBUSY, "trapping=on client=%s expected=a map of what does not trap".formatted(client.name()));
        }
    }

    private Mapping mapAsAnswered(int index, long offset, long length) throws VfioException {
        MapVerdict verdict = device.mediation().views().askAboutMap(index, offset, length);
        try {
            return switch (verdict) {
                case MapVerdict.PassThrough() -> memory(device.regions().at(index)).map(offset, length);
                case MapVerdict.Provided(var memory, long at) -> ((DeviceMemory) memory).map(at, length);
            };
        } catch (IllegalStateException e) {
            // The device may have been closed meanwhile, and its memory with it.
            check();
            throw e;
        }
    }

    @Override
    public Optional<OwnedFd> regionFile(int index) throws VfioException {
        RegionInfo info = regionInfo(index);
        List<MmapArea> areas = info.sparseMmap().map(RegionCapability.SparseMmap::areas).orElse(List.of());
        maps.told(index, areas);
        for (MmapArea area : areas) {
            try {
                if (!(device.mediation().views().askAboutMap(index, area.offset(), area.size()) instanceof MapVerdict.PassThrough)) {
                    return Optional.empty();
                }
            } catch (VfioException e) {
                return Optional.empty();
            }
        }
        if (!info.flags().contains(RegionInfo.Flag.MMAP)) {
            return Optional.empty();
        }
        Optional<DeviceMemory> memory = device.regions().at(index).memory();
        if (memory.isEmpty()) {
            return Optional.empty();
        }
        boolean first = maps.giveFile(index);
        if (!device.mediation().isMappable(this)) {
            maps.takeFileBack(index, first);
            return Optional.empty();
        }
        return memory.map(DeviceMemory::file);
    }

    @Override
    public List<Doorbell> doorbells(int index) throws VfioException {
        RegionInfo info = regionInfo(index);
        List<Doorbell> defaults = device.described().doorbells().stream().filter(doorbell -> doorbell.bar() == index).toList();
        if (index > RegionIndex.BAR5 || !info.flags().contains(RegionInfo.Flag.WRITE)) {
            return List.of();
        }
        return device.mediation().views().doorbells(index, defaults).stream()
            .filter(doorbell -> doorbell.bar() == index && doorbell.offset() <= info.size() - doorbell.width()).toList();
    }

    private static DeviceMemory memory(Region region) throws VfioException {
        return region.memory().orElseThrow(() -> new VfioException(Errno.EINVAL, "region=unmapped expected=one with memory"));
    }

    @Override
    public void setIrqTriggers(int index, int start, List<IrqTrigger> triggers) throws VfioException {
        try {
            check();
        } catch (VfioException e) {
            triggers.forEach(IrqTrigger::close);
            throw e;
        }
        device.irqs().assign(this, index, start, triggers);
        stayOpen();
    }

    @Override
    public void disableIrq(int index) throws VfioException {
        check();
        device.irqs().disable(this, index);
    }

    @Override
    public void maskIrq(int index, int start, int count) throws VfioException {
        check();
        device.irqs().mask(this, index, start, count);
    }

    @Override
    public void unmaskIrq(int index, int start, int count) throws VfioException {
        check();
        device.irqs().unmask(this, index, start, count);
    }

    @Override
    public void fireIrq(int index, int start, int count) throws VfioException {
        check();
        device.irqs().fire(this, index, start, count);
    }

    @Override
    public void dmaMap(DmaMapping mapping) throws VfioException {
        try {
            check();
        } catch (VfioException e) {
            DmaWindows.letGo(mapping.backing());
            throw e;
        }
        device.dmaWindows().map(this, mapping);
        stayOpen();
    }

    @Override
    public int mostDmaMaps() {
        return device.dmaWindows().limit();
    }

    @Override
    public void dmaUnmap(long iova, long size) throws VfioException {
        device.dmaWindows().unmap(this, iova, size);
    }

    @Override
    public void dmaUnmapAll() {
        device.dmaWindows().unmapAll(this);
    }

    @Override
    public void reset() throws VfioException {
        check();
        try {
            device.reset();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw device.functionFault(e);
        }
    }

    @Override
    public int registerEvent(Runnable event) throws VfioException {
        check();
        if (!client.has(Client.Feature.EVENT_IDS)) {
            throw new VfioException(Errno.EOPNOTSUPP, "client=%s expected=one in this process".formatted(client.name()));
        }
        int id = calls.register(event);
        stayOpen();
        return id;
    }

    @Override
    public Optional<Runnable> event(int id) {
        return calls.event(id);
    }

    @Override
    public void onGone(Runnable listener) {
        calls.onGone(listener);
    }

    void tellGone() {
        calls.tellGone();
    }

    private void check() throws VfioException {
        if (closed.get()) {
            throw new VfioException(Errno.EBADF, "handle=closed expected=an open device");
        }
        device.checkUsable();
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        giveBack();
        device.trapSwitch().heard();
        device.closed(this);
    }

    private void giveBack() {
        ports.forEach(this::remove);
        device.irqs().disableAllOf(this);
        maps.close();
        device.dmaWindows().unmapAll(this);
        calls.endEvents();
    }

    /// What was given to the handle while another thread closed it is given back by whoever comes second.
    private void stayOpen() throws VfioException {
        if (closed.get()) {
            giveBack();
            check();
        }
    }
}
