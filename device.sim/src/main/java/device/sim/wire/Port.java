// SPDX-License-Identifier: Apache-2.0
package device.sim.wire;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Set;
import java.util.TreeSet;

/// A port of the switch: what its virtual function sends and is to get. Thread-safe; no method waits for another function or its memory.
public final class Port {
    /// Most addresses besides the default one.
    public static final int MOST_ADDRESSES = 256;

    private static final int RING_BYTES = 1 << 20;
    private static final FrameRing CLOSED = new FrameRing(16);

    private final Switch owner;
    private final int index;
    private final PortCounters counters = new PortCounters();
    private final Object lock = new Object();
    private final Set<Long> addresses = new TreeSet<>();
    private final BitSet vlans = new BitSet();
    private long defaultAddress;
    private boolean unicastPromiscuous;
    private boolean multicastPromiscuous;
    private int portVlan;
    private volatile PortFilter filter = PortFilter.NOTHING;
    private volatile boolean link = true;
    private volatile boolean strip;
    private volatile boolean insert = true;
    private volatile FrameRing inbound = CLOSED;
    private volatile Runnable wake = () -> { };

    Port(Switch owner, int index) {
        this.owner = owner;
        this.index = index;
        publish();
    }

    /// Which port it is, from 0.
    public int index() {
        return index;
    }

    /// What passed and what did not.
    public PortCounters counters() {
        return counters;
    }

    /// Takes frames from now on.
    ///
    /// @param onFrame called by senders' threads after a frame was put into the inbound ring; must not block
    /// @return the ring that the caller empties
    public FrameRing open(Runnable onFrame) {
        FrameRing ring = new FrameRing(RING_BYTES);
        wake = onFrame;
        inbound = ring;
        return ring;
    }

    /// Takes no frames any more; those on their way are lost.
    public void close() {
        inbound = CLOSED;
        wake = () -> { };
    }

    /// Sends a frame. For the port's own thread.
    ///
    /// @param frame start of the frame in the memory, with 4 bytes of room before it
    /// @param length 60 to 9728
    /// @param tag control information, or [Ethernet#UNTAGGED]; a tag at the start of an untagged frame is taken for one
    /// @return whether the switch took it: not while the link is down, and not with a tag where the port has a VLAN of its own
    public boolean transmit(MemorySegment memory, long frame, int length, int tag) {
        if (!link) {
            counters.linkDown.increment();
            return false;
        }
        owner.passes(index, true, memory, frame, length, tag);
        return owner.transmit(this, memory, frame, length, tag);
    }

    /// Puts a frame into the inbound ring, if the filter takes it.
    void deliver(MemorySegment memory, long frame, int length, int tag) {
        FrameRing ring = inbound;
        if (ring == CLOSED || !link) {
            counters.linkDown.increment();
        } else if (ring.offer(memory, frame, length, tag, 0)) {
            counters.delivered.increment();
            owner.passes(index, false, memory, frame, length, tag);
            wake.run();
        } else {
            counters.full.increment();
        }
    }

    PortFilter filter() {
        return filter;
    }

    /// The address that the host gave.
    public long defaultAddress() {
        synchronized (lock) {
            return defaultAddress;
        }
    }

    /// Sets the address that the host gives; 0 is none.
    public void defaultAddress(long address) {
        synchronized (lock) {
            defaultAddress = address & Ethernet.BROADCAST;
            publish();
        }
    }

    /// Takes frames for a unicast or group address as well.
    ///
    /// @return false when there are too many
    public boolean addAddress(long address) {
        synchronized (lock) {
            if (addresses.size() >= MOST_ADDRESSES && !addresses.contains(address)) {
                return false;
            }
            addresses.add(address & Ethernet.BROADCAST);
            publish();
            return true;
        }
    }

    /// Takes frames for an address no more.
    ///
    /// @return whether it was there
    public boolean removeAddress(long address) {
        synchronized (lock) {
            boolean there = addresses.remove(address & Ethernet.BROADCAST);
            publish();
            return there;
        }
    }

    /// Addresses besides the default one, in order.
    public Set<Long> addresses() {
        synchronized (lock) {
            return Set.copyOf(addresses);
        }
    }

    /// Takes frames of a VLAN. With the first one, others are not taken any more; without any, all are.
    public void addVlan(int vlan) {
        synchronized (lock) {
            vlans.set(vlan & Ethernet.VLAN_MASK);
            publish();
        }
    }

    /// Takes frames of a VLAN no more.
    public void removeVlan(int vlan) {
        synchronized (lock) {
            vlans.clear(vlan & Ethernet.VLAN_MASK);
            publish();
        }
    }

    /// VLANs that are taken; empty for all.
    public BitSet vlans() {
        synchronized (lock) {
            return (BitSet) vlans.clone();
        }
    }

    /// Takes all frames that are for one, or for a group.
    public void promiscuous(boolean unicast, boolean multicast) {
        synchronized (lock) {
            unicastPromiscuous = unicast;
            multicastPromiscuous = multicast;
            publish();
        }
    }

    /// Whether all frames for one are taken.
    public boolean unicastPromiscuous() {
        synchronized (lock) {
            return unicastPromiscuous;
        }
    }

    /// Whether all frames for a group are taken.
    public boolean multicastPromiscuous() {
        synchronized (lock) {
            return multicastPromiscuous;
        }
    }

    /// The VLAN that the host put the port in, 0 for none: what it sends is tagged with it, what it gets was, and it sees no tag.
    public int portVlan() {
        synchronized (lock) {
            return portVlan;
        }
    }

    /// Sets the VLAN that the host puts the port in.
    public void portVlan(int vlan) {
        synchronized (lock) {
            portVlan = vlan & Ethernet.VLAN_MASK;
            publish();
        }
    }

    /// Whether the link is up.
    public boolean link() {
        return link;
    }

    /// Sets the link up or down; while it is down frames are dropped both ways.
    public void link(boolean up) {
        link = up;
    }

    /// Whether the receiver takes tags out of frames, to hand them over apart.
    public boolean strip() {
        return strip;
    }

    /// Has the receiver take tags out of frames or leave them in.
    public void strip(boolean on) {
        strip = on;
    }

    /// Whether the sender puts tags in that were handed over apart.
    public boolean insert() {
        return insert;
    }

    /// Has the sender put tags in or ignore them.
    public void insert(boolean on) {
        insert = on;
    }

    /// What a virtual function asked for is forgotten; what the host set stays.
    public void reset() {
        synchronized (lock) {
            addresses.clear();
            vlans.clear();
            unicastPromiscuous = false;
            multicastPromiscuous = false;
            strip = false;
            insert = true;
            publish();
        }
    }

    private void publish() {
        synchronized (lock) {
            filter = new PortFilter(defaultAddress, addresses.stream().mapToLong(Long::longValue).toArray(), vlans.toLongArray(),
                unicastPromiscuous, multicastPromiscuous, portVlan);
        }
    }
}
