// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.device.DeviceSettings;
import vfio.pci.core.device.KnownFunction;

/// Devices opened through the core, without the framework around it: as many as there are mediators, one mediated by each, and as many
/// nobody mediates.
final class OpenDevices implements AutoCloseable {
    /// Registers of BAR 0. The mediator claims WATCHED, which it passes through, and OWN, which it answers; UNCLAIMED lies between.
    static final int WATCHED = 0x4000;
    static final int UNCLAIMED = 0x4400;
    static final int OWN = 0x4800;
    static final int WATCHED_VALUE = 0x1111_0000;
    static final int UNCLAIMED_VALUE = 0x2222_0000;
    static final int OWN_VALUE = 0x0BB1_7C0D;

    private static final int ROUNDS = 5_000;

    /// For each device its registers as any function is reached, for direct accesses.
    final BoundFunction[] direct;
    /// For each mediated device a port.
    final DevicePort[] mediated;
    /// For each other device a port.
    final DevicePort[] unmediated;

    private final List<KnownFunction> functions = new ArrayList<>();
    private final List<VfioDevice> handles = new ArrayList<>();

    OpenDevices(int mediators) throws VfioException {
        List<Mediator> asked = new ArrayList<>();
        for (int i = 0; i < mediators; i++) {
            asked.add(new Mediator(new Mediator.Identity("bench", "bench " + i, i, 0, i), VendorLoader.mediator()));
        }
        direct = new BoundFunction[mediators];
        mediated = new DevicePort[mediators];
        unmediated = new DevicePort[mediators];
        for (int i = 0; i < mediators; i++) {
            direct[i] = function(i).registers();
            mediated[i] = open(function(i), asked);
            unmediated[i] = open(function(mediators + i), List.of());
        }
    }

    private static RegisterFunction function(int number) {
        RegisterFunction function = new RegisterFunction(PciAddress.ofRoutingId(0, number));
        function.registers().poke(WATCHED, WATCHED_VALUE);
        function.registers().poke(UNCLAIMED, UNCLAIMED_VALUE);
        return function;
    }

    private DevicePort open(RegisterFunction function, List<Mediator> asked) throws VfioException {
        KnownFunction known = new KnownFunction(function, Runnable::run);
        VfioDevice handle = known.open(Client.standard("bench"), asked, DeviceSettings.DEFAULT);
        functions.add(known);
        handles.add(handle);
        return handle.port();
    }

    /// Uses every device in every way, so that the compiler sees what it sees in a runtime: more than one kind of region and access. What
    /// is written is what was read.
    void use() throws VfioException {
        MemorySegment buffer = Arena.ofAuto().allocate(64, 8);
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < direct.length; i++) {
                use(mediated[i], buffer);
                use(unmediated[i], buffer);
                direct[i].readBar(RegionIndex.BAR0, UNCLAIMED, buffer, 0, 4);
            }
        }
    }

    private static void use(DevicePort port, MemorySegment buffer) throws VfioException {
        port.read(RegionIndex.CONFIG, 0, buffer, 0, 4);
        port.read(RegionIndex.BAR0, UNCLAIMED, buffer, 0, 4);
        port.write(RegionIndex.BAR0, UNCLAIMED, buffer, 0, 4);
        port.read(RegionIndex.BAR0, OWN, buffer, 0, 4);
        port.write(RegionIndex.BAR0, OWN, buffer, 0, 4);
        port.read(RegionIndex.BAR0, WATCHED, buffer, 0, 4);
        port.write(RegionIndex.BAR0, WATCHED, buffer, 0, 4);
        port.read(RegionIndex.BAR0, 0x8800, buffer, 0, 2);
    }

    /// Mediated accesses of all devices so far.
    long mediatedSoFar() {
        return functions.stream().map(KnownFunction::stats).mapToLong(AccessStats::mediated).sum();
    }

    /// Accesses of all devices so far that no mediation saw.
    long passedSoFar() {
        return functions.stream().map(KnownFunction::stats).mapToLong(AccessStats::passedThrough).sum();
    }

    @Override
    public void close() {
        handles.forEach(VfioDevice::close);
    }
}
