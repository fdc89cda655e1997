// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.user.command.ClientLimits;
import vfio.user.command.Commands;
import vfio.user.command.LenientAnswer;
import vfio.user.loop.PollLoop;
import vfio.user.loop.Source;
import vfio.user.wire.Command;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// A client's connection, from accept to the end of file.
///
/// Its phases: until VERSION nothing else is carried out; then a worker opens the device while the connection is parked; from the answer
/// on all commands are.
public final class Connection extends Source {
    private enum Phase {
        VERSION, OPENING, OPEN
    }

    private static final Logger LOG = System.getLogger(Connection.class.getName());
    private static final int EAGAIN = -Errno.EAGAIN.value();
    /// What a turn lasts by the time it is found out.
    private static final Duration NOTICED = Duration.ofMillis(4);
    private static final Duration NEXT_LOOK = Duration.ofMillis(2);
    /// Returned by the methods that answer: go on with the next message.
    private static final int GO_ON = Integer.MAX_VALUE;
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
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();
    private final AtomicLong lateResults = new AtomicLong();
    private final ClientMemory memory;
    private final Meanwhile meanwhile;
    private final Streams streams = new Streams();

    // Of the loop.
    private boolean isOvertaken;
    private boolean abandoned;
    private boolean openPending;
    private int openAttempt;
    /// Cancelled when it is not needed: until its time it would keep all of this in memory, for each client that comes and goes.
    private PollLoop.Timer openingBound;
    private Twin twin;

    // Of the turn.
    private Phase phase = Phase.VERSION;
    private Negotiation negotiation;
    private int versionId;
    private boolean versionReply;
    /// Written by the loop while the connection is parked.
    private Opened opened;
    private boolean openTimedOut;
    private boolean closed;
    private UnixSocket twinPeer;
    private volatile boolean ending;

    /// A connection that was just accepted.
    ///
    /// @param socket taken
    /// @param client name shown to people
    public Connection(Host host, UnixSocket socket, String client) {
        this.host = host;
        this.socket = socket;
        this.client = client;
        faults = new FaultLog("device=" + host.address() + " client=" + client, host.limits().faultLines());
        memory = new ClientMemory(new Outbound(host.buffers().transfer(), host.buffers().tap()), host.limits().transfer(),
            () -> host.loop().execute(this::sendTransfer));
        meanwhile = new Meanwhile(host, socket, memory);
        in = new Inbound(host.buffers().received(), host.buffers().tap());
        out = new Outbound(host.buffers().answer(), host.buffers().tap());
        exchange = new RequestExchange(in, out, host.limits(), memory, this::fault);
    }

    /// The name shown to people.
    public String client() {
        return client;
    }

    /// Messages so far. Any thread.
    public long requests() {
        return requests.get();
    }

    /// Those of them that failed. Any thread.
    public long errors() {
        return errors.get();
    }

    /// Results that came after their request was answered ETIMEDOUT, and were discarded. Any thread.
    public long lateResults() {
        return lateResults.get();
    }

    /// Answers what the client has sent by now, then closes. From a task of the loop; a second call has no effect.
    public void end() {
        if (!ending) {
            ending = true;
            host.loop().resume(this);
            host.loop().schedule(LAST_WORDS, () -> host.loop().remove(this));
        }
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
        if (next == GO_ON && phase == Phase.OPENING) {
            next = opened != null ? answerVersion() : openTimedOut ? giveUpOpening() : PARKED;
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
        return next == Epoll.OUT && memory.isHalfOut() ? readAhead(events) : next;
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
        if (twinPeer != null && !out.isWaiting()) {
            // It is the client's now; held on to, it would hide that the client has closed it.
            twinPeer.close();
            twinPeer = null;
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
        if ((events & ~Epoll.OUT) != 0 && in.hasRoom()) {
            int received = in.receive(socket);
            if (received <= 0 && received != EAGAIN) {
                return CLOSED;
            }
        }
        return in.hasRoom() ? Epoll.IN | Epoll.OUT : Epoll.OUT;
    }

    /// A task: a device wants memory of the client.
    private void sendTransfer() {
        if (twin != null) {
            host.loop().resume(twin);
        } else {
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
            lateResults.incrementAndGet();
        }
        in = meanwhile.handBack();
        exchange.use(in);
        streams.giveBack();
        // At once, for this may be the last that is done here.
        flush();
        host.loop().resume(this);
    }

    private int answerAll() {
        while (in.next()) {
            int next = answer();
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
        requests.lazySet(requests.getPlain() + 1);
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
            if (phase == Phase.VERSION) {
                beginVersion(msgId, command, reply);
                return PARKED;
            }
            exchange.begin();
            streams.goIn();
            Commands.of(command).handle(exchange);
            if (reply) {
                out.reply(msgId, command, exchange.answerSize());
            } else {
                out.drop();
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
        int lenient = host.limits().errors() == ClientLimits.ErrorAnswers.ALL_ONES && phase == Phase.OPEN
            ? LenientAnswer.write(command, exchange.request(), exchange.payload(), exchange.payloadSize(), out.buffer(), Outbound.PAYLOAD)
            : LenientAnswer.NONE;
        if (lenient == LenientAnswer.NONE) {
            out.error(msgId, command, errno);
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
        errors.lazySet(errors.getPlain() + 1);
        int command = HostOrder.u16(in.buffer(), in.start() + HeaderLayout.CMD);
        faults.warn(Command.of(command).map(Command::name).orElse("command=0x" + Integer.toHexString(command)), fault.toString());
    }

    private void beginVersion(int msgId, int command, boolean reply) throws VfioException {
        if (command != Command.VERSION.code()) {
            throw new VfioException(Errno.EINVAL, "expected=VERSION first");
        }
        if (in.fds() != 0) {
            throw new VfioException(Errno.EINVAL, "fds=0x%x expected=none".formatted(in.fds()));
        }
        if (openPending) {
            throw new VfioException(Errno.EBUSY, "the device is still being opened for the VERSION before");
        }
        negotiation = Negotiation.read(in.buffer(), in.start() + HeaderLayout.BYTES, in.size() - HeaderLayout.BYTES);
        versionId = msgId;
        versionReply = reply;
        phase = Phase.OPENING;
        Client who = new Client(client, negotiation.proposed().disablableAreas() ? Set.of(Client.Feature.DISABLABLE_AREAS) : Set.of());
        openPending = true;
        int attempt = ++openAttempt;
        host.workers().execute(() -> open(who, attempt));
        host.loop().execute(() -> watchOpening(attempt));
    }

    private void watchOpening(int attempt) {
        if (!closed && openPending && attempt == openAttempt) {
            openingBound = host.loop().schedule(host.limits().request(), () -> openingLasts(attempt));
        }
    }

    private void openingLasts(int attempt) {
        if (!closed && openPending && attempt == openAttempt) {
            openTimedOut = true;
            host.loop().resume(this);
        }
    }

    private int giveUpOpening() {
        openTimedOut = false;
        openAttempt++;
        phase = Phase.VERSION;
        errors.lazySet(errors.getPlain() + 1);
        faults.warn(Command.VERSION.name(), "ETIMEDOUT: the device is still being opened");
        if (versionReply) {
            out.error(versionId, Command.VERSION.code(), Errno.ETIMEDOUT);
        }
        return flush();
    }

    /// On a worker: may wait for mediators.
    private void open(Client who, int attempt) {
        Opened result = new Opened.Refused(new VfioException(Errno.EIO, "the device failed to open"));
        try {
            VfioDevice device = host.pci().open(host.address(), who);
            OpenDevice open = OpenDevice.of(device);
            result = new Opened.Device(open);
            device.onGone(() -> host.loop().execute(this::end));
        } catch (VfioException e) {
            result = new Opened.Refused(e);
        } finally {
            Opened brought = result;
            if (!host.loop().execute(() -> bring(brought, attempt)) && brought instanceof Opened.Device late) {
                late.device().close();
            }
        }
    }

    private void bring(Opened brought, int attempt) {
        openPending = false;
        host.loop().cancel(openingBound);
        if (!closed && attempt == openAttempt) {
            opened = brought;
            openTimedOut = false;
            host.loop().resume(this);
        } else if (brought instanceof Opened.Device late) {
            lateResults.incrementAndGet();
            host.workers().execute(late.device()::close);
        }
    }

    private int answerVersion() {
        switch (opened) {
            case Opened.Device device -> {
                phase = Phase.OPEN;
                exchange.open(device.device(), negotiation.proposed().disablableAreas());
                memory.limit(negotiation.transferBytes());
                int size = negotiation.write(out.buffer(), Outbound.PAYLOAD, host.limits(), openTwin());
                if (versionReply) {
                    out.reply(versionId, Command.VERSION.code(), size);
                } else {
                    out.drop();
                }
            }
            case Opened.Refused refused -> {
                // The client may try again: why the device cannot be opened may pass.
                phase = Phase.VERSION;
                opened = null;
                errors.lazySet(errors.getPlain() + 1);
                faults.warn(Command.VERSION.name(), refused.why().toString());
                if (versionReply) {
                    out.error(versionId, Command.VERSION.code(), refused.why().errno());
                }
            }
        }
        return flush();
    }

    /// Makes the second socket, if the client asked for one and an answer tells it.
    private boolean openTwin() {
        if (!negotiation.proposed().twinSocket() || !versionReply) {
            return false;
        }
        try {
            UnixSocket[] pair = UnixSocket.pair();
            twinPeer = pair[1];
            out.attach(twinPeer.fd());
            memory.useTwin();
            Twin fresh = new Twin(pair[0], memory, new Inbound(host.buffers().twin(), host.buffers().tap()));
            if (!host.loop().execute(() -> addTwin(fresh))) {
                pair[0].close();
            }
            return true;
        } catch (VfioException e) {
            fault(e);
            return false;
        }
    }

    private void addTwin(Twin fresh) {
        twin = fresh;
        host.loop().add(fresh, Epoll.IN);
        if (closed) {
            host.loop().remove(fresh);
        }
    }

    @Override
    protected void closed() {
        closed = true;
        host.loop().cancel(openingBound);
        memory.close();
        if (twin != null) {
            host.loop().remove(twin);
        }
        if (twinPeer != null) {
            twinPeer.close();
        }
        socket.close();
        meanwhile.end(this::letGo);
    }

    private void letGo() {
        in.close();
        meanwhile.close();
        host.workers().execute(() -> {
            try {
                if (opened instanceof Opened.Device device) {
                    device.device().close();
                }
                memory.drain();
            } finally {
                // A close that fails is a defect elsewhere, and no reason not to serve the next client.
                if (!host.loop().execute(host.left())) {
                    host.left().run();
                }
            }
        });
    }
}
