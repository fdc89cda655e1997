// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.user.command.Commands;
import vfio.user.command.LenientAnswer;
import vfio.user.loop.Source;
import vfio.user.traffic.Traffic;
import vfio.user.wire.Command;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// A client's connection, from accept to the end of file.
///
/// Its phases: until VERSION nothing else is carried out; then a worker opens the device while the connection is parked; from the answer
/// on all commands are.
public final class Connection extends Source {
    private static final Logger LOG = System.getLogger(Connection.class.getName());
    private static final int EAGAIN = -Errno.EAGAIN.value();
    /// What a turn lasts by the time it is found out.
    private static final Duration NOTICED = Duration.ofMillis(4);
    private static final Duration NEXT_LOOK = Duration.ofMillis(2);
    /// Returned by the methods that answer: go on with the next message.
    private static final int GO_ON = Integer.MAX_VALUE;
    /// Returned likewise: the next message is withheld.
    private static final int HELD = Integer.MAX_VALUE - 1;
    /// Receives before the end, of requests that were sent before it.
    private static final int LAST_RECEIVES = 16;
    /// How long a client may take to read the last answer.
    private static final Duration LAST_WORDS = Duration.ofMillis(500);

    private final Host host;
    private final UnixSocket socket;
    private final String client;
    private final FaultLog faults;
    private Inbound in;
    private final Outbound out;
    private final RequestExchange exchange;
    private final Traffic traffic;
    /// What clients before this one did.
    private final long requestsBefore;
    private final long errorsBefore;
    private final ClientMemory memory;
    private final Meanwhile meanwhile;
    private final Streams streams = new Streams();
    private final Waits waits;
    private final Visits visits = new Visits();
    private final Doorbells doorbells;
    private final MaskEvents maskEvents;
    private final SecondSocket second;
    private final Opening opening;
    private final Withheld withheld;
    // Of the loop.
    private boolean isOvertaken;
    private boolean abandoned;
    // Of the turn.
    private boolean allOnes;
    private boolean closed;
    private volatile boolean ending;

    /// A connection that was just accepted.
    ///
    /// @param socket taken
    /// @param client name shown to people
    public Connection(Host host, UnixSocket socket, String client) {
        this.host = host;
        this.socket = socket;
        this.client = client;
        traffic = host.traffic();
        requestsBefore = traffic.requests();
        errorsBefore = traffic.errors();
        faults = new FaultLog("device=" + host.address() + " client=" + client, host.limits().faultLines());
        memory = new ClientMemory(new Outbound(host.buffers().transfer(), host.buffers().tap()), host.limits().transfer(),
            () -> host.loop().execute(this::sendTransfer));
        second = new SecondSocket(host, memory);
        meanwhile = new Meanwhile(host, socket, memory, this::abandon);
        waits = new Waits(host.loop());
        withheld = new Withheld(host, socket, memory, this);
        in = new Inbound(host.buffers().received(), host.buffers().tap());
        out = new Outbound(host.buffers().answer(), host.buffers().tap());
        doorbells = new Doorbells(host, visits, e -> faults.warn("doorbell", e.toString()));
        maskEvents = new MaskEvents(host, visits, e -> faults.warn("an event to mask or unmask", e.toString()));
        exchange = new RequestExchange(socket, streams, in, out, host.limits(), memory, doorbells, maskEvents,
            new PrivateMemory(host, socket, client), this::fault);
        opening = new Opening(host, this, client, this::end, out, second, faults, this::begin);
    }

    /// The name shown to people.
    public String client() {
        return client;
    }

    /// Messages so far. Any thread.
    public long requests() {
        return traffic.requests() - requestsBefore;
    }

    /// Those of them that failed. Any thread.
    public long errors() {
        return traffic.errors() - errorsBefore;
    }

    /// Answers what the client has sent by now, then closes. From a task of the loop; a second call has no effect.
    public void end() {
        if (!ending) {
            ending = true;
            host.loop().resume(this);
            host.loop().schedule(LAST_WORDS, () -> host.loop().remove(this));
        }
    }

    /// Tells the client that its device goes. From a task of the loop.
    public void tellGone() {
        opening.tellGone();
    }

    /// Closes the socket at once, though a turn or an opening lasts; the rest follows when that returns. From a task of the loop.
    public void abandon() {
        ending = true;
        abandoned = true;
        host.loop().remove(meanwhile);
        socket.close();
        host.loop().remove(this);
    }

    @Override
    protected OwnedFd fd() {
        return socket.fd();
    }

    @Override
    protected int turn(int events) {
        if (streams.areTaken()) {
            return PARKED; // until takeBack
        }
        int next = flush();
        if (next == GO_ON && opening.lasts()) {
            next = answerVersion();
        }
        if (next == GO_ON) {
            next = answerAll();
        }
        for (int receives = 0; next == GO_ON && receives < (ending ? LAST_RECEIVES : events == RESUMED ? 0 : 1); receives++) {
            int received = in.receive(socket);
            if (received == EAGAIN) {
                break;
            }
            next = received > 0 ? answerAll() : CLOSED;
        }
        if (next == GO_ON) {
            return ending ? CLOSED : Epoll.IN;
        }
        if (next == HELD) {
            return withheld.receive(in, events);
        }
        return next == Epoll.OUT && memory.isHalfOut() ? readAhead(events) : next;
    }

    @Override
    protected boolean canAwait() {
        return opening.isDone() && !ending && !withheld.isThere() && !memory.wasUsed() && waits.areBounded();
    }

    @Override
    protected boolean await(int interest) {
        if (withheld.isThere()) {
            return false;
        }
        if (interest == Epoll.IN) {
            return waits.receive(in, socket);
        }
        return interest == Epoll.OUT && !memory.hasQueued() && !meanwhile.isWaiting() && out.flush(socket, true) == Outbound.Sent.ALL;
    }

    /// Sends what is to be sent: what is half out first, then answers, then requests to the client. No more than one is half out.
    private int flush() {
        Outbound.Sent sent = Outbound.Sent.ALL;
        if (memory.isHalfOut()) {
            sent = memory.flush(socket);
        }
        if (sent == Outbound.Sent.ALL && meanwhile.isWaiting()) {
            sent = meanwhile.flush();
        }
        if (sent == Outbound.Sent.ALL) {
            sent = out.flush(socket);
        }
        if (!out.isWaiting()) {
            second.handedOver();
        }
        if (sent == Outbound.Sent.ALL && memory.hasQueued()) {
            sent = memory.flush(socket);
        }
        return switch (sent) {
            case ALL -> GO_ON;
            case BLOCKED -> Epoll.OUT;
            case BROKEN -> CLOSED;
        };
    }

    /// A request to the client is half out, and the client may be sending to us before it reads on: takes that in, unanswered.
    private int readAhead(int events) {
        if ((events & ~Epoll.OUT) != 0 && !in.receiveAhead(socket)) {
            return CLOSED;
        }
        return in.hasRoom() ? Epoll.IN | Epoll.OUT : Epoll.OUT;
    }

    /// A task: a device wants memory of the client.
    private void sendTransfer() {
        if (!second.resume()) {
            host.loop().resume(meanwhile.isOn() ? meanwhile : this);
        }
    }

    @Override
    protected void overtaken() {
        isOvertaken = true;
        takeStreams();
    }

    /// Has somebody else attend to the client, if the turn is inside a device; looks again in a while if it is not.
    private void takeStreams() {
        if (!isOvertaken || closed || abandoned) {
            return;
        }
        if (streams.take()) {
            Duration left = host.limits().request().minus(NOTICED);
            meanwhile.begin(in, left.isNegative() ? Duration.ZERO : left);
        } else if (!meanwhile.isOn()) {
            host.loop().schedule(NEXT_LOOK, this::takeStreams);
        }
    }

    @Override
    protected void returned() {
        isOvertaken = false;
        if (streams.areTaken()) {
            meanwhile.end(this::takeBack);
        }
    }

    private void takeBack() {
        if (meanwhile.hasAnswered()) {
            out.discard();
            traffic.lateResult();
        }
        in = meanwhile.handBack();
        exchange.use(in);
        streams.giveBack();
        // At once, for this may be the last that is done here.
        flush();
        host.loop().resume(this);
    }

    private int answerVersion() {
        if (!opening.answer()) {
            return PARKED;
        }
        int next = flush();
        opening.answered();
        return next;
    }

    private int answerAll() {
        boolean first = true;
        while (in.next()) {
            boolean enters = opening.isDone() && !in.isReply();
            if (enters && !withheld.enter(exchange, in)) {
                return HELD;
            }
            if (first) {
                traffic.begin();
                first = false;
            }
            int command = HostOrder.u16(in.buffer(), in.start() + HeaderLayout.CMD);
            traffic.request(command);
            int next;
            try {
                next = answer();
            } finally {
                if (enters) {
                    exchange.leave();
                }
            }
            if (!opening.lasts()) {
                traffic.answered(command);
            }
            in.endMessage();
            if (next != GO_ON) {
                return next;
            }
        }
        if (in.isBroken()) {
            LOG.log(Level.WARNING, "device={0} client={1}: disconnected: msg_size=0x{2} expected=0x10 to 0x{3}", host.address(), client,
                Long.toHexString(in.brokenSize()), Long.toHexString(Buffers.LONGEST_MESSAGE));
            return CLOSED;
        }
        return GO_ON;
    }

    private int answer() {
        int at = in.start();
        int msgId = HostOrder.u16(in.buffer(), at + HeaderLayout.MSG_ID);
        int command = HostOrder.u16(in.buffer(), at + HeaderLayout.CMD);
        int flags = in.buffer().get(HostOrder.U32, at + HeaderLayout.FLAGS);
        int type = flags & HeaderLayout.F_TYPE_MASK;
        boolean reply = (flags & HeaderLayout.F_NO_REPLY) == 0;
        if (type == HeaderLayout.F_TYPE_REPLY) {
            if (memory.reply(in.buffer(), at, in.size())) {
                return GO_ON;
            }
            // Nothing was asked of the client. A reply is not answered, or two servers could go on for ever.
            fault(new VfioException(Errno.EINVAL, "flags=0x%x a reply to nothing".formatted(flags)));
            return GO_ON;
        }
        try {
            checkMessage(type, flags);
            if (opening.awaitsVersion()) {
                opening.begin(in, msgId, command, reply);
                return PARKED;
            }
            exchange.begin(msgId, command, reply && !host.buffers().tap().isWatched());
            streams.goIn();
            Commands.of(command).handle(exchange);
            if (!reply) {
                out.drop();
            } else if (!exchange.hasBegun()) {
                out.reply(msgId, command, exchange.answerSize());
            }
        } catch (VfioException e) {
            fault(e);
            if (reply) {
                answerError(msgId, command, e.errno());
            } else {
                out.drop();
            }
        }
        return streams.comeOut() ? flush() : PARKED;
    }

    private void answerError(int msgId, int command, Errno errno) {
        int lenient = allOnes && opening.isDone()
            ? LenientAnswer.write(command, exchange.request(), exchange.payload(), exchange.payloadSize(), out.buffer(), Outbound.PAYLOAD)
            : LenientAnswer.NONE;
        if (lenient == LenientAnswer.NONE) {
            out.error(msgId, command, errno);
            if (allOnes && LenientAnswer.waitsForMore(command)) {
                host.loop().execute(this::end);
            }
        } else {
            out.drop();
            out.reply(msgId, command, lenient);
        }
    }

    private void checkMessage(int type, int flags) throws VfioException {
        if (type != HeaderLayout.F_TYPE_COMMAND) {
            throw new VfioException(Errno.EINVAL, "flags=0x%x expected=a command".formatted(flags));
        }
        in.requireFewFds();
    }

    private void fault(VfioException fault) {
        int command = HostOrder.u16(in.buffer(), in.start() + HeaderLayout.CMD);
        traffic.error(command);
        faults.warn(Command.of(command).map(Command::name).orElse("command=0x" + Integer.toHexString(command)), fault.toString());
    }

    private void begin(OpenDevice device, Negotiation negotiation) {
        waits.prepare(socket);
        boolean tellsDisablableAreas = negotiation.proposed().disablableAreas();
        exchange.open(device.device(), tellsDisablableAreas);
        exchange.accessBy(device.port());
        meanwhile.open(device.device(), tellsDisablableAreas, faults);
        memory.limit(negotiation.transferBytes());
        allOnes = host.limits().answersAllOnes(negotiation.ignoresErrors());
        meanwhile.answerAllOnes(allOnes);
        doorbells.limit(negotiation.messageFds());
    }

    @Override
    protected void closed() {
        closed = true;
        opening.close();
        memory.close();
        second.close();
        socket.close();
        meanwhile.end(this::letGo);
    }

    private void letGo() {
        traffic.lost(in.waiting() + meanwhile.messagesWaiting() + (out.isWaiting() ? 1 : 0));
        in.close();
        meanwhile.close();
        doorbells.close();
        maskEvents.close();
        // Not before the last event has come out of the device.
        visits.end(() -> host.workers().execute(this::closeDevice));
    }

    /// On a worker: may wait.
    private void closeDevice() {
        try {
            doorbells.closePorts();
            opening.closeDevice();
            memory.drain();
        } finally {
            // A close that fails is a defect elsewhere, and no reason not to serve the next client.
            if (!host.loop().execute(host.left())) {
                host.left().run();
            }
        }
    }
}
