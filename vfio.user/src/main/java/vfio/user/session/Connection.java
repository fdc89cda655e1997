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
import vfio.user.command.Commands;
import vfio.user.command.Exchange;
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
    private final Inbound in;
    private final Outbound out;
    private final RequestExchange exchange;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();

    // Of the turn.
    private Phase phase = Phase.VERSION;
    private Negotiation negotiation;
    private int versionId;
    private boolean versionReply;
    /// Written by the loop while the connection is parked.
    private Opened opened;
    private boolean closed;
    private volatile boolean ending;

    /// What the worker brought.
    private sealed interface Opened {
        record Device(OpenDevice device) implements Opened {
        }

        record Refused(VfioException why) implements Opened {
        }
    }

    /// A connection that was just accepted.
    ///
    /// @param socket taken
    /// @param client name shown to people
    public Connection(Host host, UnixSocket socket, String client) {
        this.host = host;
        this.socket = socket;
        this.client = client;
        faults = new FaultLog("device=" + host.address() + " client=" + client);
        in = new Inbound(host.buffers().received(), host.buffers().tap());
        out = new Outbound(host.buffers().answer(), host.buffers().tap());
        exchange = new RequestExchange(in, out, this::fault);
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
        socket.close();
        host.loop().remove(this);
    }

    @Override
    protected OwnedFd fd() {
        return socket.fd();
    }

    @Override
    protected int turn(int events) {
        int next = flush();
        if (next == GO_ON && phase == Phase.OPENING) {
            next = opened == null ? PARKED : answerVersion();
        }
        if (next == GO_ON) {
            next = answerAll();
        }
        int once = events == RESUMED ? 0 : 1;
        for (int receives = 0; next == GO_ON && receives < (ending ? LAST_RECEIVES : once); receives++) {
            int received = in.receive(socket);
            if (received == EAGAIN) {
                break;
            }
            next = received > 0 ? answerAll() : CLOSED;
        }
        if (next == GO_ON) {
            return ending ? CLOSED : Epoll.IN;
        }
        return next;
    }

    private int flush() {
        return switch (out.flush(socket)) {
            case ALL -> GO_ON;
            case BLOCKED -> Epoll.OUT;
            case BROKEN -> CLOSED;
        };
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
            Commands.of(command).handle(exchange);
            if (!reply) {
                out.drop();
                return GO_ON;
            }
            out.reply(msgId, command, exchange.answerSize());
        } catch (VfioException e) {
            fault(e);
            if (!reply) {
                out.drop();
                return GO_ON;
            }
            out.error(msgId, command, e.errno());
        }
        return flush();
    }

    private void checkMessage(int type, int flags) throws VfioException {
        if (type != HeaderLayout.F_TYPE_COMMAND) {
            throw new VfioException(Errno.EINVAL, "flags=0x%x expected=a command".formatted(flags));
        }
        if (in.fdsCut()) {
            throw new VfioException(Errno.EMFILE, "fds=too many, expected=at most 0x%x".formatted(Exchange.MAX_MSG_FDS));
        }
        if (in.fds() > Exchange.MAX_MSG_FDS) {
            throw new VfioException(Errno.EINVAL, "fds=0x%x expected=at most 0x%x".formatted(in.fds(), Exchange.MAX_MSG_FDS));
        }
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
        negotiation = Negotiation.read(in.buffer(), in.start() + HeaderLayout.BYTES, in.size() - HeaderLayout.BYTES);
        versionId = msgId;
        versionReply = reply;
        phase = Phase.OPENING;
        boolean disablable = negotiation.proposed().disablableAreas();
        Client who = new Client(client, disablable ? Set.of(Client.Feature.DISABLABLE_AREAS) : Set.of());
        host.workers().execute(() -> open(who));
    }

    /// On a worker: may wait for mediators.
    private void open(Client who) {
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
            if (!host.loop().execute(() -> bring(brought)) && brought instanceof Opened.Device late) {
                late.device().close();
            }
        }
    }

    private void bring(Opened brought) {
        if (!closed) {
            opened = brought;
            host.loop().resume(this);
        } else if (brought instanceof Opened.Device late) {
            host.workers().execute(late.device()::close);
        }
    }

    private int answerVersion() {
        switch (opened) {
            case Opened.Device device -> {
                phase = Phase.OPEN;
                exchange.open(device.device(), negotiation.proposed().disablableAreas());
                int size = negotiation.write(out.buffer(), Outbound.PAYLOAD);
                if (versionReply) {
                    out.reply(versionId, Command.VERSION.code(), size);
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

    @Override
    protected void closed() {
        closed = true;
        socket.close();
        in.close();
        host.workers().execute(() -> {
            try {
                if (opened instanceof Opened.Device device) {
                    device.device().close();
                }
            } finally {
                // A close that fails is a defect elsewhere, and no reason not to serve the next client.
                if (!host.loop().execute(host.left())) {
                    host.left().run();
                }
            }
        });
    }
}
