// SPDX-License-Identifier: Apache-2.0
package vfio.user.session;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalInt;
import linux.sys.EventFd;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.RemoteMemory;
import vfio.user.command.ClientLimits;
import vfio.user.command.Commands;
import vfio.user.command.DmaLedger;
import vfio.user.command.DoorbellEvent;
import vfio.user.command.MaskAction;
import vfio.user.wire.Command;
import vfio.user.wire.HeaderLayout;
import vfio.user.wire.HostOrder;
import vfio.user.wire.RegionAccessLayout;

/// Requests that are carried out while another of the same client is stuck in the device, because that one waits for them: the device
/// waits for the client to say that it has acted on a switch of trapping. They are accesses of the region in which it says so, and
/// questions about regions. They overtake what else the client has sent. The region is answered by the core alone; a mediation asked about
/// a region that does not return is overtaken by the loop as in any turn. Used by [Meanwhile], in its turns.
final class Aside extends DeviceExchange {
    private final FaultLog faults;
    private MemorySegment request = MemorySegment.NULL;
    private int at;
    private int size;

    Aside(Outbound out, VfioDevice device, boolean tellsDisablableAreas, ClientLimits limits, FaultLog faults) {
        super(out, limits);
        this.faults = faults;
        open(device, tellsDisablableAreas);
    }

    /// Whether a message, which is a command, is to be carried out now.
    boolean takes(MemorySegment buffer, int start, int bytes) {
        int command = HostOrder.u16(buffer, start + HeaderLayout.CMD);
        boolean access = command == Command.REGION_READ.code() || command == Command.REGION_WRITE.code();
        int flags = buffer.get(HostOrder.U32, start + HeaderLayout.FLAGS);
        if ((flags & HeaderLayout.F_TYPE_MASK) != HeaderLayout.F_TYPE_COMMAND || !access && command != Command.DEVICE_GET_REGION_INFO.code()
            || access && bytes < HeaderLayout.BYTES + RegionAccessLayout.BYTES) {
            return false;
        }
        OptionalInt awaited = device().awaitsAcknowledgementIn();
        return awaited.isPresent()
            && (!access || HostOrder.u32(buffer, start + HeaderLayout.BYTES + RegionAccessLayout.REGION) == awaited.getAsInt());
    }

    /// Carries it out, and leaves the answer to be sent.
    void carryOut(MemorySegment buffer, int start, int bytes) {
        request = buffer;
        at = start;
        size = bytes;
        beginAnswer();
        int id = HostOrder.u16(buffer, start + HeaderLayout.MSG_ID);
        int command = HostOrder.u16(buffer, start + HeaderLayout.CMD);
        boolean reply = (buffer.get(HostOrder.U32, start + HeaderLayout.FLAGS) & HeaderLayout.F_NO_REPLY) == 0;
        try {
            if (port() == null) {
                // The port of the connection is with the stuck request.
                accessBy(device().port());
            }
            Commands.of(command).handle(this);
            if (reply) {
                out.reply(id, command, answerSize());
            } else {
                out.drop();
            }
        } catch (VfioException e) {
            fault(e);
            if (reply) {
                out.error(id, command, e.errno());
            } else {
                out.drop();
            }
        }
    }

    @Override
    public MemorySegment request() {
        return request;
    }

    @Override
    public long payload() {
        return at + (long) HeaderLayout.BYTES;
    }

    @Override
    public int payloadSize() {
        return size - HeaderLayout.BYTES;
    }

    /// What came with it is closed unseen.
    @Override
    public int fds() {
        return 0;
    }

    @Override
    public Fd takeFd() {
        throw notHere();
    }

    @Override
    public boolean answerLent(int structure, int region, long offset, int count) {
        return false;
    }

    @Override
    public void fault(VfioException fault) {
        int command = HostOrder.u16(request, at + HeaderLayout.CMD);
        faults.warn(Command.of(command).map(Command::name).orElse("command"), fault.toString());
    }

    @Override
    public DmaLedger ledger() {
        throw notHere();
    }

    @Override
    public RemoteMemory remoteMemory() {
        throw notHere();
    }

    @Override
    public List<DoorbellEvent> doorbells(int region) throws VfioException {
        throw new VfioException(Errno.EBUSY, "region=%d expected=a request in its turn".formatted(region));
    }

    @Override
    public void setMaskEvents(MaskAction action, int index, int start, List<EventFd> events) {
        throw notHere();
    }

    @Override
    public void clearMaskEvents(MaskAction action, int index, int start, int count) {
        throw notHere();
    }

    @Override
    public void clearMaskEvents(int index) {
        throw notHere();
    }

    @Override
    public void memoryFile(OwnedFd file) {
        throw notHere();
    }

    /// While nobody is in here, and nobody will be.
    void close() {
        if (port() != null) {
            port().close();
        }
    }

    private static IllegalStateException notHere() {
        return new IllegalStateException("command expected=one that is carried out aside");
    }
}
