// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.configspace.ConfigSpace;
import device.sim.function.DeviceModel;
import device.sim.function.FrameRecording;
import device.sim.function.Lent;
import device.sim.function.MessageInterrupts;
import device.sim.function.MsixRegisters;
import device.sim.function.NetworkSide;
import device.sim.wire.Port;
import device.sim.xl710.engine.VfEngine;
import device.sim.xl710.mailbox.AdminQueues;
import device.sim.xl710.queue.QueuePairs;
import device.sim.xl710.virtchnl.Session;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import vfio.pci.api.Range;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.function.InterruptKind;

/// A simulated virtual function: its register file and interrupts, the mailbox and what is agreed on by it, its queues, and the ways it is
/// reset. Registers only note what a driver wants; the engine's thread does it, in this order: a reset, the hash registers, the mailbox,
/// the queues.
///
/// This says what the parts are and how they hang together, and what a driver and the physical function can ask for. How the function is
/// reset is in [VfReset], when it may begin anything in [VfGate], what registers, messages and queues bring about in [VfRegisterEffects],
/// [VfMessageEffects] and [VfQueueInterrupts].
final class VfModel extends DeviceModel {
    private static final int CONTROLS = 1 + VfRegister.VFINT_DYN_CTLN1.count();
    private static final MemorySegment NO_MEMORY = MemorySegment.ofArray(new int[0]);

    private final VfPlace place;
    private final MessageInterrupts messages;
    private final VfInterrupts interrupts;
    private final VfRegisters registers;
    private final MsixRegisters msix;
    private final LentDma dma = new LentDma();
    private final VfEngine engine;
    private final VfReset reset = new VfReset(this, new VfResetSteps(this));
    private final VfGate gate = new VfGate(this);
    private final VfHash hash = new VfHash(this);
    private final AdminQueues mailbox;
    private final QueuePairs queues;
    private final Session session;
    private final VfHost host;
    private boolean attached;
    private boolean functionLevelReset;

    VfModel(VfPlace place) {
        this(place, new MessageInterrupts(InterruptKind.MSIX, VfFunction.MSIX_VECTORS));
    }

    private VfModel(VfPlace place, MessageInterrupts messages) {
        super(VfFunction.configSpace(place.device()), messages);
        this.place = place;
        this.messages = messages;
        VfIntervals intervals = new VfIntervals(this);
        this.interrupts = new VfInterrupts(messages, CONTROLS, intervals, System::nanoTime, this::wake);
        this.engine = new VfEngine(place.name(), place.watch());
        engine.register(reset);
        engine.register(hash);
        engine.register(() -> mailbox().run());
        engine.register(new VfModeration(this));
        this.queues = new QueuePairs(() -> dma, place.port(), new VfQueueInterrupts(this), engine);
        this.session = new Session(place.identity(), queues, place.port(), new VfMessageEffects(this));
        this.mailbox = new AdminQueues(lock(), dma, session, () -> interrupts.cause(DynCtl.ICR_ADMINQ));
        this.registers = new VfRegisters(interrupts, intervals, new VfRegisterEffects(this), mailbox);
        this.msix = new MsixRegisters(messages, VfFunction.MSIX_PENDING);
        behind(VfFunction.registers(place.mappedDoorbells()), registers);
        behind(VfFunction.MSIX, msix);
        this.host = new VfHost(this);
        gate.updateLocked();
        registers.resetStatus(VfRegisters.VFACTIVE);
    }

    /// Guards all state but that of queues and session.
    Object guard() {
        return lock();
    }

    VfPlace place() {
        return place;
    }

    Port port() {
        return place.port();
    }

    QueuePairs queues() {
        return queues;
    }

    Session session() {
        return session;
    }

    AdminQueues mailbox() {
        return mailbox;
    }

    VfInterrupts interrupts() {
        return interrupts;
    }

    VfRegisters registers() {
        return registers;
    }

    MsixRegisters msix() {
        return msix;
    }

    MessageInterrupts messages() {
        return messages;
    }

    VfReset resetState() {
        return reset;
    }

    VfGate gate() {
        return gate;
    }

    VfHash hash() {
        return hash;
    }

    /// Transfers of the mailbox and the queues that failed.
    long dmaFaults() {
        return dma.faults();
    }

    /// The physical function resets this one (VPGEN_VFRTRIG): everything but config space and MSI-X table goes back to its first value. The
    /// reset stays in progress until [#status(int)] says otherwise.
    void resetByPhysicalFunction() {
        boolean engineEnds;
        synchronized (lock()) {
            reset.beginLocked(VfReset.Origin.PHYSICAL_FUNCTION);
            engineEnds = attached;
        }
        if (engineEnds) {
            engine.wake();
        } else {
            reset.complete();
        }
    }

    /// Whether nothing that was before the last reset goes on.
    boolean resetDone() {
        synchronized (lock()) {
            return reset.endedLocked();
        }
    }

    /// Nobody drives the physical function any more: a reset it began ends by itself.
    void releasedByPhysicalFunction() {
        synchronized (lock()) {
            reset.releaseLocked();
        }
    }

    /// The host changed what the driver was told when it started: the driver is told of a reset, and reset.
    void resetByHost() {
        synchronized (lock()) {
            if (attached && session.state().resourcesGiven()) {
                mailbox.backlogLocked(List.of(Session.resetImpending()));
                reset.announceLocked();
            }
        }
        engine.wake();
    }

    @Override
    public Optional<NetworkSide> network() {
        return Optional.of(host);
    }

    @Override
    public Optional<FrameRecording> recording() {
        return Optional.of(place.recording());
    }

    /// A register of BAR 0 without a side effect; tails and intervals too.
    int peek(int offset) {
        synchronized (lock()) {
            return peekLocked(offset);
        }
    }

    int peekLocked(int offset) {
        boolean lent = place.mappedDoorbells() && offset < VfFunction.DOORBELLS_END;
        return lent ? inMemoryLocked(VfFunction.BAR, offset) : registers.peek(offset);
    }

    /// What VFGEN_RSTAT reads.
    int status() {
        synchronized (lock()) {
            return registers.resetStatus();
        }
    }

    /// Sets what VFGEN_RSTAT reads.
    void status(int status) {
        synchronized (lock()) {
            registers.resetStatus(status);
        }
    }

    /// Whether the function went through a function level reset that its physical function's driver has not acknowledged.
    boolean functionLevelReset() {
        synchronized (lock()) {
            return functionLevelReset;
        }
    }

    void acknowledgeFunctionLevelReset() {
        synchronized (lock()) {
            functionLevelReset = false;
        }
    }

    /// Function level reset. The host's driver of the physical function brings the function back to active, and the host waits for that
    /// before it goes on: it is active when [#settle()] returns. A driver notices the reset by ARQLEN1, whose enable bit is clear.
    @Override
    protected void resetRegistersLocked() {
        reset.beginLocked(VfReset.Origin.FUNCTION_LEVEL);
        msix.reset();
        functionLevelReset = true;
    }

    @Override
    protected Map<Integer, List<Range>> registersInMemory() {
        return Map.of(VfFunction.BAR, VfFunction.registers(place.mappedDoorbells()).memoryLike());
    }

    @Override
    protected boolean interruptLocked(int vector) {
        return messages.raise(vector);
    }

    @Override
    protected void attachLocked(Lent lent) {
        attached = true;
        dma.attach(lent.dma());
        queues.lent(Optional.ofNullable(lent.memory().get(VfFunction.BAR)).orElse(NO_MEMORY));
        engine.start();
    }

    @Override
    protected void detachLocked() {
        attached = false;
        gate.detachedLocked();
        dma.detach();
        engine.stop();
    }

    @Override
    protected void settle() {
        reset.complete();
        boolean givenBack;
        synchronized (lock()) {
            givenBack = !attached;
        }
        if (givenBack) {
            tapDoorbells(Optional.empty());
            queues.lent(NO_MEMORY);
            // A state that came from elsewhere brought its address.
            host.restoreAddress();
        }
    }

    /// The engine looks at all tails when it wakes, so that it does not matter which was written.
    @Override
    protected void memoryWrittenLocked(int bar, long offset, int count) {
        engine.wake();
    }

    /// The mailbox's tail is a doorbell too: it hands buffers to the device.
    @Override
    protected boolean tapDoorbells(Optional<DoorbellTap> tap) {
        mailbox.tap(tap.map(VfModel::mailboxTap).orElse(AdminQueues.NO_TAP));
        queues.tap(tap.map(VfModel::queueTap).orElse(device.sim.xl710.queue.DoorbellTap.NONE));
        return true;
    }

    private static IntConsumer mailboxTap(DoorbellTap tap) {
        return value -> tap.doorbell(VfFunction.BAR, VfRegister.VF_ARQT1.base(), value);
    }

    private static device.sim.xl710.queue.DoorbellTap queueTap(DoorbellTap tap) {
        return (register, value) -> tap.doorbell(VfFunction.BAR, register, value);
    }

    boolean attachedLocked() {
        return attached;
    }

    boolean messagesWaitLocked() {
        return !mailbox.backlogLocked().isEmpty();
    }

    void wake() {
        engine.wake();
    }

    @Override
    protected void configWrittenLocked() {
        gate.configWrittenLocked();
    }

    ConfigSpace config() {
        return configLocked();
    }

    /// Clears the registers that live in lent memory.
    void clearMemoryLocked() {
        clearRegistersInMemoryLocked();
    }

    /// Sets a register that may live in lent memory.
    void pokeLocked(int offset, int value) {
        registers.write(offset, value);
        memoryLocked(offset, value);
    }

    /// Sets a register where a client may have mapped it, if any may.
    void memoryLocked(int offset, int value) {
        if (place.mappedDoorbells()) {
            setInMemoryLocked(VfFunction.BAR, offset, value);
        }
    }

}
