// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.util.Set;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.user.loop.Source;
import vfio.user.loop.Timer;
import vfio.user.wire.Command;
import vfio.user.wire.HeaderLayout;

/// How a connection begins: VERSION, and the device that a worker opens meanwhile, as that may wait for mediators.
///
/// The connection is parked until the device is there, or has been waited for as long as a request may take. A client that is refused may
/// try again, for why a device cannot be opened may pass; a device that comes for a VERSION that was given up is closed.
final class Opening {
    /// What a connection does with its device.
    interface Beginning {
        /// All commands are carried out from now on. In a turn.
        void begin(OpenDevice device, Negotiation negotiation);
    }

    private enum Phase {
        VERSION, OPENING, OPEN
    }

    private final Host host;
    private final Source connection;
    private final String client;
    private final Runnable end;
    private final Outbound out;
    private final SecondSocket second;
    private final FaultLog faults;
    private final Beginning beginning;
    // Of the loop.
    private boolean pending;
    private int attempt;
    private boolean closed;
    /// Cancelled when it is not needed: until its time it would keep all of this in memory, for each client that comes and goes.
    private Timer bound;
    // Of the turn.
    private Phase phase = Phase.VERSION;
    private Negotiation negotiation;
    private int msgId;
    private boolean reply;
    /// Written by the loop while the connection is parked.
    private Opened opened;
    private boolean timedOut;

    /// @param connection resumed when there is something to answer
    /// @param client name shown to people
    /// @param end run by a task of the loop when the device goes, or the client would wait for ever
    /// @param out where the answer is written
    /// @param second made if the client asks for one
    /// @param faults told of what failed
    /// @param beginning told when the device is open, before VERSION is answered
    Opening(Host host, Source connection, String client, Runnable end, Outbound out, SecondSocket second, FaultLog faults,
            Beginning beginning) {
        this.host = host;
        this.connection = connection;
        this.client = client;
        this.end = end;
        this.out = out;
        this.second = second;
        this.faults = faults;
        this.beginning = beginning;
    }

    /// Whether VERSION is expected, and nothing else.
    boolean awaitsVersion() {
        return phase == Phase.VERSION;
    }

    /// Whether the device is being opened: the connection is parked.
    boolean lasts() {
        return phase == Phase.OPENING;
    }

    /// Whether VERSION was answered with success.
    boolean isDone() {
        return phase == Phase.OPEN;
    }

    /// The first request. In a turn, which parks the connection then.
    ///
    /// @param withReply whether the client wants an answer
    void begin(Inbound in, int id, int command, boolean withReply) throws VfioException {
        if (command != Command.VERSION.code()) {
            throw new VfioException(Errno.EINVAL, "expected=VERSION first");
        }
        if (in.fds() != 0) {
            throw new VfioException(Errno.EINVAL, "fds=0x%x expected=none".formatted(in.fds()));
        }
        if (pending) {
            throw new VfioException(Errno.EBUSY, "the device is still being opened for the VERSION before");
        }
        negotiation = Negotiation.read(in.buffer(), in.start() + HeaderLayout.BYTES, in.size() - HeaderLayout.BYTES);
        msgId = id;
        reply = withReply;
        phase = Phase.OPENING;
        boolean disablable = negotiation.proposed().disablableAreas();
        Client who = new Client(client, disablable ? Set.of(Client.Feature.DISABLABLE_AREAS) : Set.of());
        pending = true;
        int now = ++attempt;
        host.workers().execute(() -> open(who, now));
        host.loop().execute(() -> watch(now));
    }

    /// A task; the device may be there already.
    private void watch(int since) {
        if (!closed && pending && since == attempt) {
            bound = host.loop().schedule(host.limits().request(), () -> lastsLong(since));
        }
    }

    private void lastsLong(int since) {
        if (!closed && pending && since == attempt) {
            timedOut = true;
            host.loop().resume(connection);
        }
    }

    /// On a worker: may wait for mediators.
    private void open(Client who, int since) {
        Opened result = new Opened.Refused(new VfioException(Errno.EIO, "the device failed to open"));
        try {
            VfioDevice device = host.pci().open(host.address(), who);
            OpenDevice open = OpenDevice.of(device);
            result = new Opened.Device(open);
            device.onGone(() -> host.loop().execute(end));
        } catch (VfioException e) {
            result = new Opened.Refused(e);
        } finally {
            Opened brought = result;
            if (!host.loop().execute(() -> bring(brought, since)) && brought instanceof Opened.Device late) {
                late.device().close();
            }
        }
    }

    private void bring(Opened brought, int since) {
        pending = false;
        host.loop().cancel(bound);
        if (!closed && since == attempt) {
            opened = brought;
            timedOut = false;
            host.loop().resume(connection);
        } else if (brought instanceof Opened.Device late) {
            host.traffic().lateResult();
            host.workers().execute(late.device()::close);
        }
    }

    /// Writes the answer, if there is one by now. In a turn, while [#lasts()].
    ///
    /// @return whether VERSION is over, and [#answered()] to be told when the answer is out
    boolean answer() {
        if (opened == null && !timedOut) {
            return false;
        }
        switch (opened) {
            case null -> giveUp();
            case Opened.Device device -> accept(device.device());
            case Opened.Refused refused -> {
                opened = null;
                refuse(refused.why().errno(), refused.why().toString());
            }
        }
        return true;
    }

    /// The answer to VERSION is out.
    void answered() {
        host.traffic().answered(Command.VERSION.code());
    }

    private void accept(OpenDevice device) {
        phase = Phase.OPEN;
        beginning.begin(device, negotiation);
        int size = negotiation.write(out.buffer(), Outbound.PAYLOAD, host.limits(), device.device().mostDmaMaps(), openTwin());
        if (reply) {
            out.reply(msgId, Command.VERSION.code(), size);
        } else {
            out.drop();
        }
    }

    private void giveUp() {
        timedOut = false;
        attempt++;
        host.traffic().timedOut();
        refuse(Errno.ETIMEDOUT, "ETIMEDOUT: the device is still being opened");
    }

    private void refuse(Errno errno, String why) {
        phase = Phase.VERSION;
        host.traffic().error(Command.VERSION.code());
        faults.warn(Command.VERSION.name(), why);
        if (reply) {
            out.error(msgId, Command.VERSION.code(), errno);
            if (host.limits().answersAllOnes(negotiation.ignoresErrors())) {
                // It waits for the rest of an answer, and does not try again.
                host.loop().execute(end);
            }
        }
    }

    /// Makes the second socket, if the client asked for one and an answer tells it.
    private boolean openTwin() {
        if (!negotiation.proposed().twinSocket() || !reply) {
            return false;
        }
        try {
            out.attach(second.open());
            return true;
        } catch (VfioException e) {
            host.traffic().error(Command.VERSION.code());
            faults.warn(Command.VERSION.name(), e.toString());
            return false;
        }
    }

    /// Raises what tells a client that its device goes, if it has one. In a task of the loop.
    void tellGone() {
        if (opened instanceof Opened.Device device) {
            try {
                device.device().device().fireIrq(IrqIndex.REQ, 0, 1);
                device.device().device().fireIrq(IrqIndex.ERR, 0, 1);
            } catch (VfioException e) {
                faults.warn("the end of its device", e.toString());
            }
        }
    }

    /// The connection ends: a device that comes later is closed at once.
    void close() {
        closed = true;
        host.loop().cancel(bound);
    }

    /// Closes the device, if there is one. On a worker: may wait.
    void closeDevice() {
        if (opened instanceof Opened.Device device) {
            device.device().close();
        }
    }
}
