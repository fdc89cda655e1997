// SPDX-License-Identifier: Apache-2.0
package vfio.user;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.DeviceStatus;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioPci;

/// Opens a [TestDevice] for each of a few addresses, after waiting or with an error where a test says so.
final class TestPci implements VfioPci, DeviceAdmin {
    static final PciAddress FIRST = PciAddress.parse("0000:3b:02.0");
    static final PciAddress SECOND = PciAddress.parse("0000:3b:02.1");

    private static final int MANY = 1000;

    final BlockingQueue<TestDevice> opened = new LinkedBlockingQueue<>();
    private final List<TestDevice> all = new CopyOnWriteArrayList<>();
    /// When set, opens of the first device wait for it.
    volatile Semaphore gate;
    /// When set, opens fail with it.
    volatile Errno refusal;
    /// What the devices that are opened say of it.
    volatile int mostMaps = Integer.MAX_VALUE;

    @Override
    public TestDevice open(PciAddress address, Client client) throws VfioException {
        if (gate != null && address.equals(FIRST)) {
            gate.acquireUninterruptibly();
        }
        if (refusal != null) {
            throw new VfioException(refusal, "refused for the test");
        }
        TestDevice device = new TestDevice(address, client);
        device.mostMaps = mostMaps;
        all.add(device);
        opened.add(device);
        return device;
    }

    /// Lets everybody go who was made to wait: a test that fails half-way leaves no thread behind.
    void releaseAll() {
        if (gate != null) {
            gate.release(MANY);
        }
        all.forEach(device -> device.blocked.release(MANY));
    }

    /// The device that was opened next.
    TestDevice next() throws InterruptedException {
        TestDevice device = opened.poll(10, TimeUnit.SECONDS);
        if (device == null) {
            throw new AssertionError("no device was opened");
        }
        return device;
    }

    @Override
    public List<DeviceStatus> devices() {
        return List.of();
    }

    @Override
    public DeviceStatus device(PciAddress address) throws VfioException {
        if (!Set.of(FIRST, SECOND).contains(address)) {
            throw new VfioException(Errno.ENODEV, "address=" + address);
        }
        return new DeviceStatus(address, new PciId(0x8086, 0x154C, 0x020000, 1, 0, 0), Optional.empty(), Optional.empty(), List.of(),
            Optional.empty(), false, Optional.empty(), List.of(), List.of());
    }

    @Override
    public List<MediatorStatus> mediators() {
        return List.of();
    }

    @Override
    public AccessStats stats(PciAddress address) {
        return AccessStats.ZERO;
    }
}
