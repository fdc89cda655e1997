// SPDX-License-Identifier: Apache-2.0
package vmm;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MigrationOrder;
import vfio.pci.api.admin.MigrationOutcome;
import vfio.pci.api.admin.MigrationProgress;
import vfio.pci.api.admin.Whereabouts;
import vmm.channel.Endpoint;
import vmm.channel.Link;
import vmm.channel.Transport;
import vmm.stream.FrameKind;
import vmm.stream.Frames;

/// Gives a running machine to the other side, once. Where that fails before the machine was given away it runs on here as if nothing had
/// been.
///
/// [#run()] is for one thread, [#cancel()] for any.
public final class Outgoing {
    /// Copies of memory after which a machine that writes faster than it can be copied is left where it is.
    static final int MOST_ROUNDS = 32;
    private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Machine machine;
    private final Transport transport;
    private final MigrationOrder order;
    private final Steps steps;
    private final Consumer<MigrationProgress> watcher;
    private final OutgoingDevices devices;
    private Frames frames;
    private MemoryCopy memory;
    private long lastTold = System.nanoTime();
    private boolean paused;
    private long pausedAt;
    private Duration downtime = Duration.ZERO;
    /// Guarded by this, as all that follows.
    private Link link;
    private boolean cancelled;
    private boolean givenAway;

    /// @param machine lent until [#run()] has returned
    /// @param order where to, and how
    /// @param steps told of each step
    /// @param watcher told how far it is, on the thread that runs
    public Outgoing(Machine machine, Transport transport, MigrationOrder order, Steps steps, Consumer<MigrationProgress> watcher) {
        this.machine = machine;
        this.transport = transport;
        this.order = order;
        this.steps = steps;
        this.watcher = watcher;
        devices = new OutgoingDevices(machine);
    }

    /// Moves the machine, or finds out whether it could be.
    ///
    /// @return what came of it. [Whereabouts#SOURCE]: it runs here. [Whereabouts#DESTINATION]: it runs there; here it stays stopped, and
    ///     its devices are to be closed. [Whereabouts#UNKNOWN]: it stays stopped; [#takeBack()] if somebody knows that it does not run
    ///     there. [Whereabouts#NOWHERE]: a device here has failed
    public MigrationOutcome run() {
        boolean given = false;
        try {
            prepare();
            if (order.dryRun()) {
                String found = new Rehearsal(machine, frames, memory, order.maxDowntime(), this::checkNotCancelled).run();
                downtime = memory.expectedDowntime();
                return takenBack(true, found);
            }
            copyWhileRunning();
            stopAndCopy();
            steps.before(Step.COMMIT);
            giveAway();
            given = true;
            frames.send(FrameKind.COMMIT);
            return answer();
        } catch (VfioException e) {
            return given ? outcome(Whereabouts.UNKNOWN, false, "the destination was told to run, and did not answer: " + e)
                : takenBack(false, cancelled() ? "cancelled" : e.toString());
        } finally {
            disconnect();
        }
    }

    private void prepare() throws VfioException {
        step(Step.CONNECT);
        Link made = transport.connect(Endpoint.parse(order.to()));
        synchronized (this) {
            link = made;
        }
        checkNotCancelled();
        frames = new Frames(made);
        memory = new MemoryCopy(machine, frames, this::betweenFrames);
        step(Step.HELLO);
        devices.check();
        devices.hello(order.dryRun()).encode(frames.begin(FrameKind.HELLO));
        frames.end();
        frames.expect(FrameKind.ACCEPT);
    }

    private void copyWhileRunning() throws VfioException {
        step(Step.LOG);
        memory.startLogging();
        memory.everything();
        devices.sendMore(frames);
        step(Step.COPY);
        memory.round();
        while (true) {
            devices.sendMore(frames);
            memory.collect();
            Duration expected = progress(Step.COPY);
            if (expected.compareTo(order.maxDowntime()) <= 0) {
                return;
            }
            if (memory.rounds() >= MOST_ROUNDS) {
                throw new VfioException(Errno.ETIMEDOUT, "rounds=%d pages=%d downtime=%d ms expected=at most %d ms".formatted(
                    memory.rounds(), memory.left(), expected.toMillis(), order.maxDowntime().toMillis()));
            }
            step(Step.COPY);
            memory.round();
        }
    }

    private void stopAndCopy() throws VfioException {
        step(Step.PAUSE);
        pausedAt = System.nanoTime();
        machine.pause();
        paused = true;
        step(Step.STOP);
        devices.stop();
        step(Step.LAST_PAGES);
        memory.collect();
        memory.send();
        step(Step.STATES);
        devices.sendStates(frames);
        ByteBuffer out = frames.begin(FrameKind.PROCESSORS);
        byte[] processors = machine.processors();
        if (processors.length > Frames.LONGEST) {
            throw new VfioException(Errno.E2BIG, "processors=0x%x expected=at most 0x%x".formatted(processors.length, Frames.LONGEST));
        }
        out.put(processors);
        frames.end();
        step(Step.SEAL);
        frames.begin(FrameKind.SEAL).putLong(memory.pages()).putLong(devices.bytes());
        frames.end();
        frames.expect(FrameKind.READY);
    }

    private MigrationOutcome answer() throws VfioException {
        steps.before(Step.AWAIT_DONE);
        Frames.Frame frame = frames.receive();
        if (frame.kind() == FrameKind.REFUSE) {
            return takenBack(false, "the destination cannot run it: " + frame.text());
        }
        downtime = Duration.ofNanos(System.nanoTime() - pausedAt);
        return frame.kind() == FrameKind.DONE ? outcome(Whereabouts.DESTINATION, true, "")
            : outcome(Whereabouts.UNKNOWN, false, "frame=%s expected=DONE".formatted(frame.kind()));
    }

    private void step(Step step) throws VfioException {
        checkNotCancelled();
        steps.before(step);
        tell(step, Duration.ZERO);
    }

    private Duration progress(Step step) throws VfioException {
        Duration expected = memory.expectedDowntime();
        tell(step, expected);
        return expected;
    }

    private void betweenFrames() throws VfioException {
        checkNotCancelled();
        if (System.nanoTime() - lastTold > TELL_NANOS) {
            tell(Step.COPY, Duration.ZERO);
        }
    }

    private void tell(Step step, Duration expected) {
        lastTold = System.nanoTime();
        watcher.accept(memory == null ? new MigrationProgress(step.name(), 0, 0, 0, expected)
            : new MigrationProgress(step.name(), memory.rounds(), memory.left(), memory.rate(), expected));
    }

    private synchronized boolean cancelled() {
        return cancelled;
    }

    private synchronized void checkNotCancelled() throws VfioException {
        if (cancelled) {
            throw new VfioException(Errno.ECANCELED, "cancelled");
        }
    }

    private synchronized void giveAway() throws VfioException {
        checkNotCancelled();
        givenAway = true;
    }

    /// Ends it: the machine runs on here. A wait for the other side ends too.
    ///
    /// @return whether it was in time: false when the machine has been given away
    public synchronized boolean cancel() {
        if (givenAway) {
            return false;
        }
        cancelled = true;
        disconnect();
        return true;
    }

    private synchronized void disconnect() {
        if (link != null) {
            link.close();
        }
    }

    /// Has the machine run here again after [Whereabouts#UNKNOWN], because somebody knows that it does not run there.
    ///
    /// @return [Whereabouts#SOURCE], or [Whereabouts#NOWHERE] when a device has failed meanwhile
    public MigrationOutcome takeBack() {
        return takenBack(false, "taken back");
    }

    private MigrationOutcome takenBack(boolean done, String message) {
        try {
            machine.memory().forEach(ram -> ram.logWrites(false));
            devices.takeBack();
            if (paused) {
                machine.resume();
                paused = false;
                downtime = Duration.ofNanos(System.nanoTime() - pausedAt);
            }
            return outcome(Whereabouts.SOURCE, done, message);
        } catch (VfioException e) {
            return outcome(Whereabouts.NOWHERE, false, message + "; and here: " + e);
        }
    }

    private MigrationOutcome outcome(Whereabouts use, boolean done, String message) {
        return memory == null ? MigrationOutcome.nothing(use, message)
            : new MigrationOutcome(use, done, message, memory.rounds(), memory.pages(), frames.written(), downtime);
    }
}
