// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;
import linux.sys.EventFd;
import linux.sys.Fd;
import linux.sys.UnixSocket;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.dma.RemoteMemory;
import vfio.user.command.ClientLimits;
import vfio.user.command.DmaLedger;
import vfio.user.command.DoorbellEvent;
import vfio.user.command.MaskAction;
import vfio.user.wire.HeaderLayout;

/// The message that is in the connection's buffers now.
final class RequestExchange extends DeviceExchange {
    private final UnixSocket socket;
    private final Streams streams;
    /// Made once.
    private final DevicePort.Borrower borrower = this::take;
    private Inbound in;
    private final Consumer<VfioException> faults;
    private final DmaLedger ledger;
    private final ClientMemory memory;
    private final Doorbells doorbells;
    private final MaskEvents maskEvents;
    private final PrivateMemory privateMemory;
    private int msgId;
    private int command;
    private boolean mayLend;
    private int lentStructure;
    private boolean begun;

    RequestExchange(UnixSocket socket, Streams streams, Inbound in, Outbound out, ClientLimits limits, ClientMemory memory,
            Doorbells doorbells, MaskEvents maskEvents, PrivateMemory privateMemory, Consumer<VfioException> faults) {
        super(out, limits);
        this.socket = socket;
        this.streams = streams;
        this.in = in;
        this.faults = faults;
        this.memory = memory;
        this.doorbells = doorbells;
        this.maskEvents = maskEvents;
        this.privateMemory = privateMemory;
        ledger = new DmaLedger(limits);
    }

    /// Enters the device for a request, unless it is held.
    ///
    /// @param released as [DevicePort#enter] has it
    boolean enter(Runnable released) {
        return port().enter(released);
    }

    /// Leaves it.
    void leave() {
        port().leave();
    }

    /// The messages are in there from now on.
    void use(Inbound other) {
        in = other;
    }

    /// Another message.
    ///
    /// @param lend whether its answer may be sent from memory that is lent
    void begin(int itsId, int itsCommand, boolean lend) {
        beginAnswer();
        msgId = itsId;
        command = itsCommand;
        mayLend = lend;
        begun = false;
    }

    /// Whether the answer, or the beginning of it, is out already.
    boolean hasBegun() {
        return begun;
    }

    @Override
    public boolean answerLent(int structure, int region, long offset, int count) throws VfioException {
        lentStructure = structure;
        return mayLend && port().lend(region, offset, count, borrower);
    }

    private void take(MemorySegment memory, long offset, int count) {
        if (streams.comeOut()) {
            begun = true;
            out.replyLent(socket, msgId, command, lentStructure, memory, offset, count);
        } else {
            // Somebody else sends meanwhile: this is kept, and whoever has the streams next decides.
            MemorySegment.copy(memory, offset, out.buffer(), (long) Outbound.PAYLOAD + lentStructure, count);
        }
    }

    @Override
    public MemorySegment request() {
        return in.buffer();
    }

    @Override
    public long payload() {
        return in.start() + (long) HeaderLayout.BYTES;
    }

    @Override
    public int payloadSize() {
        return in.size() - HeaderLayout.BYTES;
    }

    @Override
    public int fds() {
        return in.fds();
    }

    @Override
    public Fd takeFd() {
        return in.takeFd();
    }

    @Override
    public List<DoorbellEvent> doorbells(int region) throws VfioException {
        return doorbells.of(device(), region);
    }

    @Override
    public void setMaskEvents(MaskAction action, int index, int start, List<EventFd> events) {
        maskEvents.set(device(), action, index, start, events);
    }

    @Override
    public void clearMaskEvents(MaskAction action, int index, int start, int count) {
        maskEvents.clear(action, index, start, count);
    }

    @Override
    public void clearMaskEvents(int index) {
        maskEvents.clear(index);
    }

    @Override
    public void memoryFile(OwnedFd file) throws VfioException {
        privateMemory.look(file);
    }

    @Override
    public DmaLedger ledger() {
        return ledger;
    }

    @Override
    public RemoteMemory remoteMemory() {
        return memory.mapping();
    }

    @Override
    public void fault(VfioException fault) {
        faults.accept(fault);
    }
}
