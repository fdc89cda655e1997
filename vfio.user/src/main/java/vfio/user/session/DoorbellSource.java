// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import linux.sys.Epoll;
import linux.sys.EventFd;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.function.Doorbell;
import vfio.user.loop.Source;
import vfio.user.traffic.Traffic;

/// An event that stands for the write of a doorbell. However often it was signalled since the last look, that is one write: a client cannot
/// have the loop do more. The write is as a posted one: nobody is told what became of it, and while it is stuck in the device the events
/// that come are one more.
final class DoorbellSource extends Source {
    private static final ValueLayout.OfLong LITTLE_ENDIAN = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Doorbell doorbell;
    private final EventFd event;
    private final DevicePort port;
    private final Traffic traffic;
    private final Consumer<VfioException> faults;
    private final Runnable gone;
    private final Runnable released;
    private final MemorySegment value = Arena.ofAuto().allocate(LITTLE_ENDIAN);

    /// @param event taken
    /// @param port taken
    /// @param faults told of what failed, by any thread
    /// @param gone run when this is closed; the port is still open
    /// @param resume gives a source its next turn, by any thread
    DoorbellSource(Doorbell doorbell, EventFd event, DevicePort port, Traffic traffic, Consumer<VfioException> faults, Runnable gone,
            Consumer<Source> resume) {
        this.doorbell = doorbell;
        this.event = event;
        this.port = port;
        this.traffic = traffic;
        this.faults = faults;
        this.gone = gone;
        this.released = () -> resume.accept(this);
    }

    Doorbell doorbell() {
        return doorbell;
    }

    DevicePort port() {
        return port;
    }

    @Override
    protected OwnedFd fd() {
        return event.fd();
    }

    @Override
    protected int turn(int events) {
        if (!port.enter(released)) {
            return PARKED;
        }
        try {
            return ring();
        } finally {
            port.leave();
        }
    }

    private int ring() {
        if (event.read() <= 0) {
            return Epoll.IN;
        }
        boolean failed = false;
        try {
            // Each time: the device is lent the buffer.
            value.set(LITTLE_ENDIAN, 0, doorbell.value().orElse(0));
            port.write(doorbell.bar(), doorbell.offset(), value, 0, doorbell.width());
        } catch (VfioException e) {
            failed = true;
            faults.accept(e);
        }
        traffic.doorbell(failed);
        return Epoll.IN;
    }

    @Override
    protected void closed() {
        event.close();
        gone.run();
    }
}
