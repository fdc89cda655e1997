// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.virtchnl;

import device.sim.wire.Port;
import device.sim.xl710.mailbox.Commands;
import device.sim.xl710.mailbox.Descriptor;
import device.sim.xl710.mailbox.Message;
import device.sim.xl710.mailbox.Outcome;
import device.sim.xl710.mailbox.ReturnCode;
import device.sim.xl710.queue.QueuePairs;
import device.sim.xl710.queue.VfCounters;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// What one virtual function and its driver agreed on, and what each message does. Every message but RESET_VF is answered, in order.
///
/// Used by the engine's thread, and by others while that is known to be elsewhere; what the host says may come at any time.
public final class Session implements Commands {
    /// `i40e_aqc_opc_send_msg_to_pf`.
    private static final int SEND_TO_PF = 0x0801;
    /// `i40e_aqc_opc_send_msg_to_vf`.
    private static final int SEND_TO_VF = 0x0802;
    /// `i40e_aqc_opc_queue_shutdown`. Drivers send it on every restart of the queues too: it ends nothing.
    private static final int QUEUE_SHUTDOWN = 0x0003;
    /// First and last of the commands that set and get hash key and table, which need a capability that is not offered.
    private static final int SET_RSS_KEY = 0x0B02;
    private static final int GET_RSS_LUT = 0x0B05;

    private static final int MAJOR = 1;
    private static final int MINOR = 1;
    private static final int KEY_BYTES = 52;
    private static final int TABLE_ENTRIES = 64;
    /// How many counters GET_STATS has.
    public static final int COUNTERS = 12;
    private static final int LIST = 4;
    /// All types of IPv4 and IPv6 packets, and frames of neither (`I40E_DEFAULT_RSS_HENA`).
    private static final long HASHABLE = 0x8000_7F9F_E000_0000L;

    private enum After { NOTHING, RESET, ANNOUNCED_RESET }

    private final Identity identity;
    private final QueuePairs queues;
    private final Port port;
    private final VfSide side;
    private final QueueSetup setup;
    private final Filters filters;
    private final AtomicBoolean linkOwed = new AtomicBoolean();
    private volatile SessionState state;
    private volatile long[] counterBase = new long[COUNTERS];
    private After after = After.NOTHING;

    /// Nothing agreed on.
    public Session(Identity identity, QueuePairs queues, Port port, VfSide side) {
        this.identity = identity;
        this.queues = queues;
        this.port = port;
        this.side = side;
        this.setup = new QueueSetup(identity, queues);
        this.filters = new Filters(identity, port);
        this.state = SessionState.initial(identity.queuePairs());
    }

    /// Forgets what was agreed on; the number of queue pairs that was asked for last comes into force.
    public void reset() {
        state = SessionState.initial(state.requestedPairs());
        after = After.NOTHING;
        linkOwed.set(false);
    }

    /// What was agreed on.
    public SessionState state() {
        return state;
    }

    /// Goes on from what another agreed on.
    ///
    /// @param owed whether the driver is to be told of the link
    public void state(SessionState agreed, boolean owed) {
        state = agreed;
        linkOwed.set(owed);
    }

    /// Whether the driver is still to be told of the link.
    public boolean linkOwed() {
        return linkOwed.get();
    }

    /// The link or its speed changed: the driver is told.
    public void linkChanged() {
        linkOwed.set(true);
    }

    /// Whether the driver may not choose an address, because the host has.
    public boolean fixedAddress() {
        return filters.fixedAddress();
    }

    /// Says whether the driver may choose an address.
    public void fixAddress(boolean fixed) {
        filters.fixAddress(fixed);
    }

    /// The twelve counters of GET_STATS, in its order. They go on through resets.
    public long[] counters() {
        long[] all = array(queues.counters());
        long[] base = counterBase;
        for (int i = 0; i < all.length; i++) {
            all[i] += base[i];
        }
        return all;
    }

    /// Counts on from what another function had counted.
    public void counters(long[] taken) {
        long[] base = taken.clone();
        long[] own = array(queues.counters());
        for (int i = 0; i < base.length; i++) {
            base[i] -= own[i];
        }
        counterBase = base;
    }

    @Override
    public Outcome execute(Descriptor command, MemorySegment buffer, int length, List<Message> replies) {
        return switch (command.opcode()) {
            case SEND_TO_PF -> {
                message(command.cookieHigh(), new Request(buffer, length), replies);
                yield Outcome.of(command, ReturnCode.OK);
            }
            case QUEUE_SHUTDOWN -> Outcome.of(command, ReturnCode.OK);
            default -> Outcome.of(command, command.opcode() >= SET_RSS_KEY && command.opcode() <= GET_RSS_LUT ? ReturnCode.EINVAL
                : ReturnCode.ENOSYS);
        };
    }

    @Override
    public void completed() {
        After next = after;
        after = After.NOTHING;
        if (next != After.NOTHING) {
            side.reset(next == After.ANNOUNCED_RESET);
        }
    }

    @Override
    public Optional<Message> announcement() {
        if (state.resourcesGiven() && linkOwed.getAndSet(false)) {
            return Optional.of(linkEvent());
        }
        return Optional.empty();
    }

    /// The message that announces a reset.
    public static Message resetImpending() {
        return new Message(SEND_TO_VF, Opcode.EVENT.number(), Status.SUCCESS.code(), Reply.resetImpending());
    }

    private void message(int number, Request request, List<Message> replies) {
        Optional<Opcode> opcode = Opcode.of(number);
        if (opcode.isEmpty() || opcode.get() == Opcode.EVENT) {
            // A driver that gets opcode 0 stops reading.
            replies.add(new Message(SEND_TO_VF, number == 0 ? -1 : number, Status.ERR_NOT_SUPPORTED.code(), Reply.EMPTY));
        } else if (request.length() < opcode.get().leastLength()) {
            answer(opcode.get(), Status.ERR_PARAM, replies);
        } else {
            handle(opcode.get(), request, replies);
        }
    }

    private void handle(Opcode opcode, Request request, List<Message> replies) {
        int pairs = state.queuePairs();
        switch (opcode) {
            case VERSION -> version(request, replies);
            case RESET_VF -> after = After.RESET;
            case GET_VF_RESOURCES -> resources(request, replies);
            case CONFIG_VSI_QUEUES -> answer(opcode, setup.configure(request, pairs), replies);
            case CONFIG_IRQ_MAP -> answer(opcode, setup.map(request, pairs), replies);
            case ENABLE_QUEUES -> enable(request, replies);
            case DISABLE_QUEUES -> answer(opcode, setup.disable(request, pairs), replies);
            case ADD_ETH_ADDR -> answer(opcode, filters.addAddresses(request), replies);
            case DEL_ETH_ADDR -> answer(opcode, filters.deleteAddresses(request), replies);
            case ADD_VLAN -> answer(opcode, filters.vlans(request, true), replies);
            case DEL_VLAN -> answer(opcode, filters.vlans(request, false), replies);
            case CONFIG_PROMISCUOUS_MODE -> answer(opcode, filters.promiscuous(request), replies);
            case GET_STATS -> answer(opcode, Reply.statistics(counters()), replies);
            case CONFIG_RSS_KEY -> answer(opcode, hashKey(request), replies);
            case CONFIG_RSS_LUT -> answer(opcode, hashTable(request), replies);
            case GET_RSS_HENA_CAPS -> answer(opcode, Reply.u64(HASHABLE), replies);
            case SET_RSS_HENA -> {
                side.hashedTypes(request.u64(0) & HASHABLE);
                answer(opcode, Status.SUCCESS, replies);
            }
            case ENABLE_VLAN_STRIPPING, DISABLE_VLAN_STRIPPING -> answer(opcode, strip(opcode == Opcode.ENABLE_VLAN_STRIPPING), replies);
            case REQUEST_QUEUES -> requestQueues(request, replies);
            case EVENT -> throw new IllegalStateException("opcode=%s expected=answered above".formatted(opcode));
        }
    }

    private void version(Request request, List<Message> replies) {
        int minor = request.u32(0) == MAJOR ? Math.clamp(Integer.toUnsignedLong(request.u32(4)), 0, MINOR) : MINOR;
        state = state.withMinor(minor);
        answer(Opcode.VERSION, Reply.version(MAJOR, minor), replies);
    }

    /// Never refused, also when it is repeated: a driver gives up for good then.
    private void resources(Request request, List<Message> replies) {
        int wanted = state.minor() > 0 && request.length() >= Integer.BYTES ? request.u32(0) | Capability.L2 : Capability.WITHOUT_ASKING;
        int offered = port.portVlan() == 0 ? Capability.OFFERED : Capability.OFFERED & ~Capability.VLAN;
        state = state.withResources(wanted & offered);
        // Drivers presume it where they are granted the choice.
        port.strip((state.capabilities() & Capability.VLAN) != 0);
        answer(Opcode.GET_VF_RESOURCES, Reply.resources(identity.vsi(), state.queuePairs(), identity.vectors(), state.capabilities(),
            port.defaultAddress()), replies);
    }

    private void enable(Request request, List<Message> replies) {
        Status status = setup.enable(request, state.queuePairs());
        answer(Opcode.ENABLE_QUEUES, status, replies);
        if (status == Status.SUCCESS) {
            // A driver believes in a link only from here on.
            linkOwed.set(false);
            replies.add(linkEvent());
        }
    }

    private Message linkEvent() {
        boolean megabits = (state.capabilities() & Capability.ADV_LINK_SPEED) != 0;
        int speed = megabits ? identity.speed().megabits() : identity.speed().bit();
        return new Message(SEND_TO_VF, Opcode.EVENT.number(), Status.SUCCESS.code(), Reply.linkChange(speed, port.link()));
    }

    private Status hashKey(Request request) {
        if (request.u16(0) != identity.vsi() || request.u16(2) != KEY_BYTES || !request.holds(LIST, KEY_BYTES, 1)) {
            return Status.ERR_PARAM;
        }
        side.hashKey(request.copy(LIST, KEY_BYTES));
        return Status.SUCCESS;
    }

    private Status hashTable(Request request) {
        if (request.u16(0) != identity.vsi() || request.u16(2) != TABLE_ENTRIES || !request.holds(LIST, TABLE_ENTRIES, 1)) {
            return Status.ERR_PARAM;
        }
        byte[] table = request.copy(LIST, TABLE_ENTRIES);
        for (byte queue : table) {
            if (Byte.toUnsignedInt(queue) >= state.queuePairs()) {
                return Status.ERR_PARAM;
            }
        }
        side.hashTable(table);
        return Status.SUCCESS;
    }

    private Status strip(boolean on) {
        if (port.portVlan() != 0) {
            return Status.ERR_PARAM;
        }
        port.strip(on);
        return Status.SUCCESS;
    }

    /// Granted by a reset after which there are so many, refused by the number there is.
    private void requestQueues(Request request, List<Message> replies) {
        int wanted = request.u16(0);
        if (wanted == 0 || wanted > identity.queuePairs()) {
            answer(Opcode.REQUEST_QUEUES, Reply.u16(identity.queuePairs()), replies);
            return;
        }
        state = state.withRequestedPairs(wanted);
        replies.add(resetImpending());
        after = After.ANNOUNCED_RESET;
    }

    private static void answer(Opcode opcode, Status status, List<Message> replies) {
        replies.add(new Message(SEND_TO_VF, opcode.number(), status.code(), Reply.EMPTY));
    }

    private static void answer(Opcode opcode, byte[] payload, List<Message> replies) {
        replies.add(new Message(SEND_TO_VF, opcode.number(), Status.SUCCESS.code(), payload));
    }

    private static long[] array(VfCounters counters) {
        return new long[] {counters.rxBytes(), counters.rxUnicast(), counters.rxMulticast(), counters.rxBroadcast(),
            counters.rxDiscards(), counters.rxUnknownProtocol(), counters.txBytes(), counters.txUnicast(), counters.txMulticast(),
            counters.txBroadcast(), counters.txDiscards(), counters.txErrors()};
    }
}
