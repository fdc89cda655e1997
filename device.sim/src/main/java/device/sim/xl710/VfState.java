// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.wire.Ethernet;
import device.sim.wire.Port;
import device.sim.xl710.mailbox.AdminQueues;
import device.sim.xl710.mailbox.Flags;
import device.sim.xl710.mailbox.Message;
import device.sim.xl710.mailbox.Ring;
import device.sim.xl710.mailbox.RingRegister;
import device.sim.xl710.virtchnl.Session;
import device.sim.xl710.virtchnl.SessionState;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import vfio.pci.api.VfioException;

/// All that a virtual function is, as one value: saved from one that stands still, and taken over by another.
///
/// @param config bytes of config space
/// @param table words of the MSI-X table
/// @param pending pending bits of the vectors
/// @param values as [VfRegisters#values()] has them
/// @param intervals of the queue vectors
/// @param status what `VFGEN_RSTAT` reads
/// @param controls of the vectors
/// @param owed a bit for each vector with a pending event
/// @param causes ICR01
/// @param enabledCauses ICR0_ENA1
/// @param transmit registers of the mailbox's ring that takes commands, in their order
/// @param receive registers of the ring that brings messages
/// @param backlog messages that wait
/// @param session what was agreed on
/// @param fixedAddress whether the host set the address
/// @param linkOwed whether the driver is to be told of the link
/// @param queues as they save themselves
/// @param port what the port takes
/// @param counters of GET_STATS
/// @param impending whether the function will be reset soon
/// @param remaining nanoseconds of a reset that is under way
record VfState(byte[] config, int[] table, int pending, int[] values, int[] intervals, int status, int[] controls, int owed, int causes,
        int enabledCauses, int[] transmit, int[] receive, List<Message> backlog, SessionState session, boolean fixedAddress,
        boolean linkOwed, byte[] queues, PortState port, long[] counters, boolean impending, long remaining) {
    private static final int MOST_QUEUE_BYTES = 4096;
    private static final int RING = RingRegister.values().length;
    private static final int INTERVALS = VfRegister.VFINT_ITRN1.count();

    /// What a port takes, and its link.
    ///
    /// @param address the default one
    /// @param addresses besides that
    /// @param vlans as a bit set
    /// @param flags unicast and multicast promiscuous, strip, insert, link
    record PortState(long address, long[] addresses, long[] vlans, int flags) {
        private static final int UNICAST = 1;
        private static final int MULTICAST = 2;
        private static final int STRIP = 4;
        private static final int INSERT = 8;
        private static final int LINK = 16;
        private static final int MOST_ADDRESSES = 18;
        private static final int MOST_VLAN_WORDS = (Ethernet.VLAN_MASK + 1) / Long.SIZE;

        static PortState of(Port port) {
            int flags = (port.unicastPromiscuous() ? UNICAST : 0) | (port.multicastPromiscuous() ? MULTICAST : 0)
                | (port.strip() ? STRIP : 0) | (port.insert() ? INSERT : 0) | (port.link() ? LINK : 0);
            return new PortState(port.defaultAddress(), port.addresses().stream().mapToLong(Long::longValue).toArray(),
                port.vlans().toLongArray(), flags);
        }

        /// Whether the link was as it is here.
        boolean linkIs(boolean up) {
            return (flags & LINK) != 0 == up;
        }

        /// The link stays as it is, and the VLAN that the host set: they are those of another wire.
        void apply(Port port) {
            port.reset();
            port.defaultAddress(address);
            for (long each : addresses) {
                port.addAddress(each);
            }
            BitSet.valueOf(vlans).stream().forEach(port::addVlan);
            port.promiscuous((flags & UNICAST) != 0, (flags & MULTICAST) != 0);
            port.strip((flags & STRIP) != 0);
            port.insert((flags & INSERT) != 0);
        }

        void write(StateWriter out) {
            out.u64(address).longs(addresses).longs(vlans).u8(flags);
        }

        static PortState read(StateReader in) throws VfioException {
            return new PortState(in.u64(), in.longs(0, MOST_ADDRESSES), in.longs(0, MOST_VLAN_WORDS), in.u8());
        }
    }

    byte[] encode() {
        StateWriter out = new StateWriter();
        out.section(StateSection.CONFIG).bytes(config);
        out.section(StateSection.MSIX).words(table).u32(pending);
        out.section(StateSection.REGISTERS).words(values).words(intervals).u8(status);
        out.section(StateSection.INTERRUPTS).words(controls).u32(owed).u32(causes).u32(enabledCauses);
        out.section(StateSection.MAILBOX).words(transmit).words(receive).u32(backlog.size());
        for (Message message : backlog) {
            out.u32(message.opcode()).u32(message.cookieHigh()).u32(message.cookieLow()).bytes(message.payload());
        }
        out.section(StateSection.SESSION).u32(session.minor()).u32(session.capabilities()).flag(session.resourcesGiven())
            .u32(session.queuePairs()).u32(session.requestedPairs()).flag(fixedAddress).flag(linkOwed);
        out.section(StateSection.QUEUES).bytes(queues);
        port.write(out.section(StateSection.PORT));
        out.section(StateSection.COUNTERS).longs(counters);
        out.section(StateSection.RESET).flag(impending).u64(remaining);
        return out.finish();
    }

    /// Reads a state.
    ///
    /// @param like one of the function that is to have it: how long each part is
    /// @throws VfioException EINVAL when it is cut, changed, of another version or of another kind of function
    static VfState decode(byte[] state, VfState like) throws VfioException {
        StateReader in = new StateReader(state);
        in.section(StateSection.CONFIG);
        byte[] config = in.bytes(like.config.length, like.config.length);
        in.section(StateSection.MSIX);
        int[] table = in.words(like.table.length);
        int pending = in.u32();
        in.section(StateSection.REGISTERS);
        int[] values = in.words(like.values.length);
        int[] intervals = in.words(INTERVALS);
        int status = in.u8();
        in.section(StateSection.INTERRUPTS);
        int[] controls = in.words(like.controls.length);
        int owed = in.u32();
        int causes = in.u32();
        int enabledCauses = in.u32();
        in.section(StateSection.MAILBOX);
        int[] transmit = in.words(RING);
        int[] receive = in.words(RING);
        List<Message> backlog = readBacklog(in);
        in.section(StateSection.SESSION);
        SessionState session = new SessionState(in.u32(), in.u32(), in.flag(), in.u32(), in.u32());
        boolean fixedAddress = in.flag();
        boolean linkOwed = in.flag();
        in.section(StateSection.QUEUES);
        byte[] queues = in.bytes(1, MOST_QUEUE_BYTES);
        PortState port = PortState.read(in.section(StateSection.PORT));
        in.section(StateSection.COUNTERS);
        long[] counters = in.longs(Session.COUNTERS, Session.COUNTERS);
        in.section(StateSection.RESET);
        boolean impending = in.flag();
        long remaining = in.u64();
        in.finish();
        return new VfState(config, table, pending, values, intervals, status, controls, owed, causes, enabledCauses, transmit, receive,
            backlog, session, fixedAddress, linkOwed, queues, port, counters, impending, remaining);
    }

    private static List<Message> readBacklog(StateReader in) throws VfioException {
        int count = Math.clamp(in.u32(), 0, AdminQueues.BACKLOG + AdminQueues.MOST_REPLIES);
        List<Message> backlog = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            backlog.add(new Message(in.u32() & 0xFFFF, in.u32(), in.u32(), in.bytes(0, Flags.LARGEST_BUFFER)));
        }
        return backlog;
    }

    static int[] registers(Ring ring) {
        int[] values = new int[RING];
        for (RingRegister register : RingRegister.values()) {
            values[register.ordinal()] = ring.read(register);
        }
        return values;
    }

    static void registers(Ring ring, int[] values) {
        for (RingRegister register : RingRegister.values()) {
            ring.write(register, values[register.ordinal()]);
        }
    }
}
