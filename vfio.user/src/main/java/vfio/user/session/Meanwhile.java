// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import linux.sys.Epoll;
import linux.sys.UnixSocket;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.device.VfioDevice;
import vfio.user.command.LenientAnswer;
import vfio.user.loop.Source;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;

/// Reads a client's socket while its request is stuck in a device, on the loop, which enters the device here for no more than [Aside].
///
/// What comes waits in order, except replies to DMA_READ and DMA_WRITE, which the stuck request may be waiting for, and what [Aside]
/// carries out at once, for the same reason. When the request has taken longer than the bound it is answered ETIMEDOUT, and from then until
/// it comes back so is every request that wants an answer, as soon as it is read: each within its bound then, and none is carried out.
/// Posted writes are kept, as nobody could be told that they were not done, up to [Buffers#SPARE] bytes; what is more is dropped and
/// counted.
final class Meanwhile extends Source {
    private static final Runnable NOTHING = () -> { };

    private final Object lock = new Object();
    /// None until the device is open.
    private Optional<Aside> aside = Optional.empty();
    private final Host host;
    private final UnixSocket socket;
    private final ClientMemory memory;
    private final Runnable abandon;
    private final Outbound out;
    private final Inbound[] spare;
    /// Whether no thread is in a turn of this, and none will be.
    private volatile boolean vacant = true;
    /// Guarded by the lock.
    private Runnable whenOut = NOTHING;
    /// Null while there is no stuck request.
    private Inbound stuck;
    private Inbound in;
    /// Written by the loop, while another thread may be in a turn.
    private volatile boolean due;
    private boolean late;
    private boolean allOnes;
    private boolean answered;
    private long episode;

    /// @param abandon run by a task of the loop when the client would wait for ever
    Meanwhile(Host host, UnixSocket socket, ClientMemory memory, Runnable abandon) {
        this.host = host;
        this.socket = socket;
        this.memory = memory;
        this.abandon = abandon;
        out = new Outbound(host.buffers().answerMeanwhile(), host.buffers().tap());
        spare = new Inbound[] {new Inbound(host.buffers().receivedMeanwhile(), host.buffers().tap())};
    }

    /// From now on region accesses are answered with success and all ones instead of an error, or not. While there is no stuck request.
    void answerAllOnes(boolean instead) {
        allOnes = instead;
    }

    /// Says which device it is, some of which answers at once though a request is stuck in it. While there is no stuck request.
    void open(VfioDevice device, boolean tellsDisablableAreas, FaultLog faults) {
        aside = Optional.of(new Aside(out, device, tellsDisablableAreas, host.limits(), faults));
    }

    /// Messages nobody has looked at yet.
    int messagesWaiting() {
        return stuck == null ? 0 : in.waiting();
    }

    /// A request is stuck; what comes behind it is this object's until [#end()].
    ///
    /// @param from where the request is
    /// @param left until it is to be answered
    void begin(Inbound from, Duration left) {
        stuck = from;
        in = spare[0];
        in.adopt(from);
        due = false;
        late = false;
        answered = false;
        long now = ++episode;
        host.loop().schedule(left, () -> {
            if (stuck != null && episode == now) {
                due = true;
                host.loop().resume(this);
            }
        });
        vacant = false;
        host.loop().add(this, Epoll.IN);
        host.loop().resume(this);
    }

    /// The request has come back. A thread may be in a turn of this all the same, for the loop overtakes that as well: what follows waits
    /// for it.
    ///
    /// @param then run by the loop when no thread is in here any more; instead of what was to be run before
    void end(Runnable then) {
        synchronized (lock) {
            whenOut = then;
        }
        if (vacant) {
            runWhenOut();
        } else {
            host.loop().remove(this);
        }
    }

    /// When nobody is in here any more: what has come meanwhile and waits.
    Inbound handBack() {
        spare[0] = stuck;
        stuck = null;
        return in;
    }

    private void runWhenOut() {
        Runnable then;
        synchronized (lock) {
            then = whenOut;
            whenOut = NOTHING;
        }
        then.run();
    }

    boolean isOn() {
        return stuck != null;
    }

    /// Whether the request that was stuck has been answered.
    boolean hasAnswered() {
        return answered;
    }

    /// Whether an answer is not out yet; nothing else may be sent.
    boolean isWaiting() {
        return out.isWaiting();
    }

    Outbound.Sent flush() {
        return out.flush(socket);
    }

    @Override
    protected OwnedFd fd() {
        return socket.fd();
    }

    @Override
    protected int turn(int events) {
        if (due && !late) {
            late = true;
            in.unsift();
        }
        if (!sendAll()) {
            return PARKED;
        }
        if ((events & ~Epoll.OUT) != 0 && !in.receiveAhead(socket)) {
            // The connection finds that out as well, when it is back.
            memory.close();
            return PARKED;
        }
        in.sift(this::look);
        if (!sendAll()) {
            return PARKED;
        }
        boolean blocked = out.isWaiting() || memory.isHalfOut();
        return (blocked ? Epoll.OUT : 0) | (in.hasRoom() && !in.isBroken() ? Epoll.IN : 0);
    }

    /// Sends what is to be sent and can be.
    ///
    /// @return false when nobody is there any more
    private boolean sendAll() {
        if (memory.isHalfOut() && memory.flush(socket) != Outbound.Sent.ALL) {
            return true;
        }
        if (out.flush(socket) == Outbound.Sent.BROKEN) {
            return false;
        }
        if (late && !answered && !out.isWaiting()) {
            answered = true;
            answer(stuck, stuck.start(), stuck.size());
            out.flush(socket);
        }
        if (!out.isWaiting() && memory.hasQueued()) {
            return memory.flush(socket) != Outbound.Sent.BROKEN;
        }
        return true;
    }

    private Inbound.Verdict look(MemorySegment buffer, int at, int size, int kept) {
        if (memory.takeIfReply(buffer, at, size)) {
            return Inbound.Verdict.REMOVE;
        }
        if (!late) {
            return lookAside(buffer, at, size);
        }
        if ((buffer.get(HostOrder.U32, at + HeaderLayout.FLAGS) & HeaderLayout.F_NO_REPLY) != 0) {
            if (kept + size <= Buffers.SPARE) {
                return Inbound.Verdict.KEEP;
            }
            host.traffic().lost(1);
            return Inbound.Verdict.REMOVE;
        }
        if (out.isWaiting() || memory.isHalfOut()) {
            return Inbound.Verdict.STOP;
        }
        answer(in, at, size);
        out.flush(socket);
        return Inbound.Verdict.REMOVE;
    }

    private Inbound.Verdict lookAside(MemorySegment buffer, int at, int size) {
        if (aside.isEmpty() || !aside.get().takes(buffer, at, size)) {
            return Inbound.Verdict.KEEP;
        }
        if (out.isWaiting() || memory.isHalfOut()) {
            return Inbound.Verdict.STOP;
        }
        aside.get().carryOut(buffer, at, size);
        out.flush(socket);
        return Inbound.Verdict.REMOVE;
    }

    private void answer(Inbound from, int at, int size) {
        int flags = from.buffer().get(HostOrder.U32, at + HeaderLayout.FLAGS);
        host.traffic().timedOut();
        if ((flags & HeaderLayout.F_NO_REPLY) != 0) {
            return;
        }
        int id = HostOrder.u16(from.buffer(), at + HeaderLayout.MSG_ID);
        int command = HostOrder.u16(from.buffer(), at + HeaderLayout.CMD);
        int lenient = allOnes
            ? LenientAnswer.write(command, from.buffer(), at + (long) HeaderLayout.BYTES, size - HeaderLayout.BYTES, out.buffer(),
                Outbound.PAYLOAD)
            : LenientAnswer.NONE;
        if (lenient == LenientAnswer.NONE) {
            out.error(id, command, Errno.ETIMEDOUT);
            if (allOnes && LenientAnswer.waitsForMore(command)) {
                host.loop().execute(abandon);
            }
        } else {
            out.reply(id, command, lenient);
        }
    }

    @Override
    protected void closed() {
        // The socket and what was received are the connection's.
        vacant = true;
        runWhenOut();
    }

    /// Closes what nobody will look at any more.
    void close() {
        aside.ifPresent(Aside::close);
        spare[0].close();
        if (stuck != null) {
            in.close();
        }
    }
}
