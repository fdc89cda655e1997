// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import linux.sys.Epoll;
import linux.sys.EventFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.function.Doorbell;
import vfio.user.command.DoorbellEvent;
import vfio.user.command.Exchange;

/// The doorbells a client asked for: made once for a region, in the connection's turn, attended to by the loop, gone with the connection.
final class Doorbells {
    private final Host host;
    private final Visits visits;
    private final Consumer<VfioException> faults;

    // Of the turn.
    private final Map<Integer, List<DoorbellSource>> byRegion = new TreeMap<>();
    private int most = 1;

    // Of the loop.
    private final List<DoorbellSource> attended = new ArrayList<>();
    private boolean closed;

    /// @param faults told of what failed, by any thread
    Doorbells(Host host, Visits visits, Consumer<VfioException> faults) {
        this.host = host;
        this.visits = visits;
        this.faults = faults;
    }

    /// The client takes so many descriptors in a message.
    void limit(long descriptors) {
        most = Math.clamp(descriptors, 0, Exchange.MAX_MSG_FDS);
    }

    /// Those of a region. In a turn.
    List<DoorbellEvent> of(VfioDevice device, int region) throws VfioException {
        List<DoorbellSource> sources = byRegion.get(region);
        if (sources == null) {
            sources = make(device, device.doorbells(region).stream().limit(most).toList());
            byRegion.put(region, sources);
            List<DoorbellSource> fresh = sources;
            if (!host.loop().execute(() -> attend(fresh))) {
                fresh.forEach(DoorbellSource::closed);
            }
        }
        return sources.stream().map(source -> new DoorbellEvent(source.doorbell(), source.fd())).toList();
    }

    private List<DoorbellSource> make(VfioDevice device, List<Doorbell> doorbells) throws VfioException {
        List<DoorbellSource> made = new ArrayList<>();
        try {
            for (Doorbell doorbell : doorbells) {
                made.add(make(device, doorbell));
            }
        } finally {
            if (made.size() < doorbells.size()) {
                made.forEach(source -> {
                    source.closed();
                    source.port().close();
                });
            }
        }
        return made;
    }

    private DoorbellSource make(VfioDevice device, Doorbell doorbell) throws VfioException {
        EventFd event = EventFd.create();
        boolean made = false;
        try {
            DoorbellSource source = new DoorbellSource(doorbell, event, device.port(), host.traffic(), faults, visits::leave,
                held -> host.loop().execute(() -> host.loop().resume(held)));
            visits.come();
            made = true;
            return source;
        } finally {
            if (!made) {
                event.close();
            }
        }
    }

    private void attend(List<DoorbellSource> fresh) {
        if (closed) {
            fresh.forEach(DoorbellSource::closed);
        } else {
            attended.addAll(fresh);
            fresh.forEach(source -> host.loop().add(source, Epoll.IN));
        }
    }

    /// The connection ends. A task of the loop.
    void close() {
        closed = true;
        attended.forEach(host.loop()::remove);
    }

    /// Gives the ports up; nobody is inside one any more.
    void closePorts() {
        byRegion.values().forEach(sources -> sources.stream().map(DoorbellSource::port).forEach(DevicePort::close));
    }
}
