// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710.queue;

import device.sim.wire.Port;
import device.sim.xl710.engine.Doorbells;
import device.sim.xl710.engine.Task;
import device.sim.xl710.engine.VfEngine;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;

/// The queue pairs of a virtual function: what the mailbox configures, what tails ring for, what the engine runs.
///
/// One lock says who is within the queues: the engine for a bounded batch of descriptors, or a call that changes them, which comes in after
/// the packet at hand. It is held while guest memory is read and written, so a change waits for at most one packet's transfers; nothing
/// else is called with it but the tap. [#tail], [#counters] and [#faults] do not take it. Calls that take it may be made with the
/// function's lock held: the engine reports interrupts without it.
public final class QueuePairs implements Task, Doorbells {
    /// How many there are.
    public static final int PAIRS = 4;

    private static final long LEAVE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int ALL = (1 << PAIRS) - 1;

    private final ReentrantLock inside = new ReentrantLock(true);
    private final Port port;
    private final VfEngine engine;
    private final Tails tails = new Tails(PAIRS);
    private final QueueEvents events;
    private final Statistics statistics = new Statistics();
    private final GuestMemory memory;
    private final TxQueue[] tx = new TxQueue[PAIRS];
    private final RxQueue[] rx = new RxQueue[PAIRS];
    private final Reception reception;
    private volatile boolean quiesced;
    private volatile boolean watched;
    private volatile boolean busMaster = true;

    /// Queues that are not configured yet. Registers them with the engine.
    ///
    /// @param dma the function's memory; asked for at each batch
    /// @param interrupts where queues report
    public QueuePairs(Supplier<DmaSpace> dma, Port port, QueueInterrupts interrupts, VfEngine engine) {
        this.port = port;
        this.engine = engine;
        this.events = new QueueEvents(interrupts);
        this.memory = new GuestMemory(dma, statistics);
        Transmission transmission = new Transmission(port, memory, statistics);
        for (int i = 0; i < PAIRS; i++) {
            tx[i] = new TxQueue(i, tails, memory, transmission, events, statistics);
            rx[i] = new RxQueue(i, tails, memory, events, statistics);
        }
        this.reception = new Reception(port, engine, rx, statistics);
        engine.register(this);
        engine.watch(this);
    }

    /// Where BAR 0 is from now on: tails are read there if it is long enough for them, else they are what [#tail] says. What was
    /// there is not touched after the return.
    public void lent(MemorySegment bar) {
        inside.lock();
        try {
            tails.lent(bar);
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
    }

    /// Describes a transmit queue that is not enabled; its head and tail become 0.
    ///
    /// @return false, with nothing changed, for settings the hardware refuses, and for a queue that is enabled or does not exist
    public boolean configureTx(int queue, TxSettings settings) {
        inside.lock();
        try {
            return queue >= 0 && queue < PAIRS && settings.valid() && tx[queue].configure(settings);
        } finally {
            inside.unlock();
        }
    }

    /// Describes a receive queue that is not enabled; its head becomes 0 and its tail stays.
    ///
    /// @return false, with nothing changed, for settings the hardware refuses, and for a queue that is enabled or does not exist
    public boolean configureRx(int queue, RxSettings settings) {
        inside.lock();
        try {
            return queue >= 0 && queue < PAIRS && settings.valid() && rx[queue].configure(settings);
        } finally {
            inside.unlock();
        }
    }

    /// Says which vector a queue reports to.
    ///
    /// @param itrIndex throttling index, 0 to 2; what is above is none
    /// @return false for a queue that does not exist
    public boolean map(int queue, boolean receive, int vector, int itrIndex) {
        return queue >= 0 && queue < PAIRS && events.map(queue, receive, vector, itrIndex);
    }

    /// Enables queues. One that was disabled starts at its head 0, a transmit queue with tail 0; one that is enabled goes on.
    ///
    /// @return false, with nothing enabled, when one of them does not exist or is not configured
    public boolean enable(int rxBits, int txBits) {
        inside.lock();
        try {
            if (((rxBits | txBits) & ~ALL) != 0 || !configuredLocked(rxBits, txBits)) {
                return false;
            }
            for (int i = 0; i < PAIRS; i++) {
                if ((txBits & 1 << i) != 0) {
                    tx[i].enable();
                }
                if ((rxBits & 1 << i) != 0) {
                    rx[i].enable();
                }
            }
            reception.update();
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
        engine.wake();
        return true;
    }

    private boolean configuredLocked(int rxBits, int txBits) {
        for (int i = 0; i < PAIRS; i++) {
            if ((txBits & 1 << i) != 0 && !tx[i].configured() || (rxBits & 1 << i) != 0 && !rx[i].configured()) {
                return false;
            }
        }
        return true;
    }

    /// Disables queues. On return none of their descriptors or buffers is used any more.
    public void disable(int rxBits, int txBits) {
        inside.lock();
        try {
            for (int i = 0; i < PAIRS; i++) {
                if ((txBits & 1 << i) != 0) {
                    tx[i].disable();
                }
                if ((rxBits & 1 << i) != 0) {
                    rx[i].disable();
                }
            }
            reception.update();
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
    }

    /// A trapped write of a tail: latches it, also for a queue that is not enabled, and wakes the engine. Never waits.
    public void tail(boolean receive, int queue, int value) {
        if (queue >= 0 && queue < PAIRS) {
            tails.set(receive, queue, value);
            engine.wake();
        }
    }

    /// What a tail reads. Never waits.
    public int tail(boolean receive, int queue) {
        return queue >= 0 && queue < PAIRS ? tails.get(receive, queue) : 0;
    }

    /// Has this told of tails from now on.
    public void tap(DoorbellTap tap) {
        inside.lock();
        try {
            for (int i = 0; i < PAIRS; i++) {
                tx[i].tap(tap);
                rx[i].tap(tap);
            }
        } finally {
            inside.unlock();
        }
    }

    /// Distribution over the receive queues.
    ///
    /// @param key 52 bytes; shorter is filled with 0
    /// @param lut a queue for each of the low bits of a hash; its length a power of two up to 64
    /// @param hena a bit for each type of packet that is hashed
    public void rss(byte[] key, byte[] lut, long hena) {
        inside.lock();
        try {
            reception.rss().set(key, lut, hena);
        } finally {
            inside.unlock();
        }
    }

    /// The counters since the function was made. Never waits.
    public VfCounters counters() {
        return statistics.counters(port.counters());
    }

    /// What went wrong since the function was made. Never waits.
    public QueueFaults faults() {
        return statistics.faults();
    }

    /// Looks at no tail until [#reset()], which is to follow. To be called before tails in memory are cleared, which a queue that runs
    /// would take for the driver's word and send what is left in the ring. Never waits: what was rung for before may still go on.
    public void halt() {
        tails.halt();
    }

    /// Everything as after power-on, except counters: queues are not configured nor mapped, tails are 0, nothing is hashed, no event is
    /// owed. On return no guest memory is used any more on behalf of what was before.
    public void reset() {
        inside.lock();
        try {
            for (int i = 0; i < PAIRS; i++) {
                tx[i].reset();
                rx[i].reset();
            }
            events.reset();
            reception.rss().reset();
            reception.update();
            quiesced = false;
            tails.resume();
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
    }

    /// Stops between two packets: on return no guest memory is used until [#resume()], all write-backs are done, and events that were not
    /// reported yet are kept. Frames that arrive meanwhile wait while there is room, and are lost else.
    public void quiesce() {
        inside.lock();
        try {
            quiesced = true;
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
    }

    /// Goes on after [#quiesce()], with the tails as they are now.
    public void resume() {
        inside.lock();
        try {
            quiesced = false;
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
        engine.wake();
    }

    /// Lets the function begin a packet or a frame, or not. One that was begun is done. Never waits.
    public void busMaster(boolean on) {
        boolean before = busMaster;
        busMaster = on;
        if (on && !before) {
            engine.wake();
        }
    }

    /// Waits until nobody is within a packet, but not long, for it may be the caller's memory that is waited for.
    public void leave() {
        try {
            if (inside.tryLock(LEAVE_NANOS, TimeUnit.NANOSECONDS)) {
                inside.unlock();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// The state of the queues, their mapping, the distribution and the events owed; not the counters. Taken between two packets, with all
    /// write-backs before the heads done; to be loaded it is to be taken while quiesced.
    public byte[] save() {
        inside.lock();
        try {
            return QueueState.save(tx, rx, tails, events, reception.rss());
        } finally {
            inside.unlock();
        }
    }

    /// Takes over a saved state. To be done while quiesced; no tail rings until [#resume()].
    ///
    /// @throws VfioException EINVAL, with nothing changed, for a state that is cut short, too long, or describes a ring that hardware
    ///     refuses
    public void load(byte[] state) throws VfioException {
        inside.lock();
        try {
            QueueState.load(state, tx, rx, tails, events, reception.rss());
            reception.update();
            updateWatchedLocked();
        } finally {
            inside.unlock();
        }
    }

    @Override
    public boolean run() {
        boolean worked = false;
        inside.lock();
        try {
            if (goes()) {
                memory.begin();
                for (int i = 0; i < PAIRS && busMaster; i++) {
                    worked |= tx[i].run(inside);
                }
                worked |= busMaster && reception.run(inside);
            }
        } finally {
            inside.unlock();
        }
        return events.report() || worked;
    }

    @Override
    public long sleepNanos() {
        // A frame that waits does not get its turn while nothing goes.
        return goes() ? reception.holdNanos() : FOREVER;
    }

    @Override
    public boolean watched() {
        return watched && busMaster;
    }

    @Override
    public boolean rung() {
        // Where somebody is within, they look themselves, or wake the engine when they leave.
        if (!inside.tryLock()) {
            return false;
        }
        try {
            for (int i = 0; i < PAIRS; i++) {
                if (tx[i].rung() || rx[i].rung()) {
                    return goes();
                }
            }
            return false;
        } finally {
            inside.unlock();
        }
    }

    private boolean goes() {
        return !quiesced && busMaster;
    }

    private void updateWatchedLocked() {
        boolean any = false;
        for (int i = 0; i < PAIRS; i++) {
            any |= tx[i].enabled() || rx[i].enabled();
        }
        watched = any && tails.inMemory() && !quiesced;
    }
}
