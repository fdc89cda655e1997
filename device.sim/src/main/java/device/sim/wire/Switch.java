// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;

/// The switch inside a card. A frame for one goes to the port that owns the address, to the uplink when none does, and to those that take
/// everything; one for a group goes to all that want it and to the uplink. It never goes back to where it came from.
///
/// Thread-safe, without a lock of its own: each port's filter is one immutable state.
public final class Switch implements AutoCloseable {
    private final Object recording = new Object();
    private final List<Port> ports = new ArrayList<>();
    private final LongAdder toUplink = new LongAdder();
    private final LongAdder uplinkDrops = new LongAdder();
    private final LongAdder fromUplink = new LongAdder();
    private final LongAdder nowhere = new LongAdder();
    private volatile Uplink uplink = Uplink.NONE;
    private volatile Optional<FrameRecorder> recorder = Optional.empty();

    /// A switch without uplink.
    ///
    /// @param ports how many it has
    public Switch(int ports) {
        for (int i = 0; i < ports; i++) {
            this.ports.add(new Port(this, i));
        }
    }

    /// A port, from 0.
    public Port port(int index) {
        return ports.get(index);
    }

    /// How many ports there are.
    public int ports() {
        return ports.size();
    }

    /// Connects an uplink, in place of what was there.
    ///
    /// @return what was there, not closed
    public Uplink uplink(Uplink next) {
        Uplink before = uplink;
        uplink = next;
        return before;
    }

    /// A frame comes from the uplink.
    ///
    /// @param frame start of the frame, with 4 bytes of room before it
    public void receive(MemorySegment memory, long frame, int length, int tag) {
        fromUplink.increment();
        passes(ports.size(), true, memory, frame, length, tag);
        forward(-1, memory, frame, length, tag);
    }

    /// Records frames as they pass ports, what comes to a function and what goes from it, in a pcapng file: its interfaces are the ports
    /// `vf0`, `vf1` and so on, and after them `uplink`.
    ///
    /// @param path of a file that is not there; it will be readable by its owner alone
    /// @param mostBytes of the file; frames that do not fit are dropped
    /// @param which ports, and [#ports()] for the uplink
    /// @throws IOException when the file cannot be made
    /// @throws VfioException EBUSY while there is a recording
    public void startRecording(Path path, long mostBytes, BitSet which) throws IOException, VfioException {
        synchronized (recording) {
            if (recorder.isPresent()) {
                throw new VfioException(Errno.EBUSY, "path=%s expected=no recording yet".formatted(path));
            }
            List<String> names = new ArrayList<>();
            ports.forEach(port -> names.add("vf" + port.index()));
            names.add("uplink");
            recorder = Optional.of(FrameRecorder.start(path, mostBytes, which, names));
        }
    }

    /// Ends the recording, if there is one; waits until its file is written.
    public Optional<Recording> stopRecording() throws InterruptedException {
        synchronized (recording) {
            Optional<FrameRecorder> last = recorder;
            recorder = Optional.empty();
            return last.isEmpty() ? Optional.empty() : Optional.of(last.get().stop());
        }
    }

    /// As [#stopRecording()], for a recording of nothing but these ports.
    ///
    /// @param which as in [#startRecording]
    public Optional<Recording> stopRecordingWithin(BitSet which) throws InterruptedException {
        synchronized (recording) {
            return recorder.filter(current -> current.isWithin(which)).isPresent() ? stopRecording() : Optional.empty();
        }
    }

    /// A frame passes a port.
    void passes(int port, boolean inbound, MemorySegment memory, long frame, int length, int tag) {
        Optional<FrameRecorder> current = recorder;
        if (current.isPresent()) {
            current.get().record(port, inbound, memory, frame, length, tag);
        }
    }

    /// Frames that went to the uplink.
    public long toUplink() {
        return toUplink.sum();
    }

    /// Frames that the uplink did not take.
    public long uplinkDrops() {
        return uplinkDrops.sum();
    }

    /// Frames that came from the uplink.
    public long fromUplink() {
        return fromUplink.sum();
    }

    /// Frames that nobody wanted.
    public long nowhere() {
        return nowhere.sum();
    }

    /// Ends the uplink. A recording is ended by [#stopRecording()] or [#stopRecordingWithin].
    @Override
    public void close() {
        uplink(Uplink.NONE).close();
    }

    boolean transmit(Port from, MemorySegment memory, long frame, int length, int tag) {
        int portVlan = from.filter().portVlan();
        boolean tagged = tag != Ethernet.UNTAGGED;
        boolean tagInside = !tagged && Ethernet.type(memory, frame) == Ethernet.TYPE_VLAN && length >= Ethernet.HEADER + Ethernet.TAG;
        if (portVlan != 0) {
            if (tagged || tagInside) {
                from.counters().wrongVlan.increment();
                return false;
            }
            forward(from.index(), memory, frame, length, portVlan);
        } else if (tagInside) {
            int inside = Ethernet.inlineTag(memory, frame);
            Ethernet.takeTagOut(memory, frame);
            forward(from.index(), memory, frame + Ethernet.TAG, length - Ethernet.TAG, inside);
        } else {
            forward(from.index(), memory, frame, length, tag);
        }
        return true;
    }

    private void forward(int from, MemorySegment memory, long frame, int length, int tag) {
        long address = Ethernet.destination(memory, frame);
        boolean group = (address & Ethernet.GROUP_BIT) != 0;
        boolean owned = false;
        boolean taken = false;
        for (int i = 0; i < ports.size(); i++) {
            Port port = ports.get(i);
            PortFilter filter = port.filter();
            boolean takes = filter.takesAddress(address) && filter.takesTag(tag);
            owned |= takes && !group && filter.owns(address);
            if (takes && i != from) {
                port.deliver(memory, frame, length, filter.visible(tag));
                taken = true;
            }
        }
        if (from >= 0 && !owned) {
            taken |= sendUp(memory, frame, length, tag);
        }
        if (!taken) {
            nowhere.increment();
        }
    }

    /// Last, because the tag is put in.
    private boolean sendUp(MemorySegment memory, long frame, int length, int tag) {
        Uplink up = uplink;
        if (up == Uplink.NONE) {
            return false;
        }
        passes(ports.size(), false, memory, frame, length, tag);
        boolean sent;
        if (tag == Ethernet.UNTAGGED) {
            sent = up.send(memory, frame, length);
        } else {
            Ethernet.putTagIn(memory, frame, tag);
            sent = up.send(memory, frame - Ethernet.TAG, length + Ethernet.TAG);
        }
        (sent ? toUplink : uplinkDrops).increment();
        return true;
    }
}
