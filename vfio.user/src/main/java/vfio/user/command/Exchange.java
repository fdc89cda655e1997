// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import java.util.List;
import linux.sys.EventFd;
import linux.sys.Fd;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.RemoteMemory;

/// A request and the answer it will have. One per connection, used again for each message. Belongs to the thread that is in the
/// connection's turn.
public abstract class Exchange {
    /// Most files one message may bring, `max_msg_fds` as the server says it.
    public static final int MAX_MSG_FDS = 16;
    /// Most bytes of data in one message, `max_data_xfer_size`.
    public static final int MAX_DATA = 1 << 20;

    /// Where the request is.
    public abstract MemorySegment request();

    /// Where in [#request()] its payload begins.
    public abstract long payload();

    /// How long its payload is.
    public abstract int payloadSize();

    /// How many descriptors came with it and were not taken.
    public abstract int fds();

    /// Hands over the next of them; the caller closes it. What nobody took is closed when the answer is out.
    public abstract Fd takeFd();

    /// Where the answer goes; has room for [#MAX_DATA] and any structure before it.
    public abstract MemorySegment reply();

    /// Where in [#reply()] its payload begins; a multiple of 8.
    public abstract long replyPayload();

    /// Says that the answer has a payload of that many bytes, which were written to [#reply()].
    public abstract void answer(int payloadSize);

    /// Sends a descriptor along, behind those that go already, at most [#MAX_MSG_FDS] in all; it stays its owner's and open until the
    /// device is closed.
    public abstract void attach(OwnedFd fd);

    /// Answers with what [#reply()] begins with and device memory behind it, straight from there, if the device lends it.
    ///
    /// @param structure bytes of the answer's payload before the memory
    /// @return false when it does not, or the answer has to be complete in [#reply()]: nothing was done
    /// @throws VfioException as [DevicePort#lend]
    public abstract boolean answerLent(int structure, int region, long offset, int count) throws VfioException;

    /// The device.
    public abstract VfioDevice device();

    /// Where this connection accesses the device.
    public abstract DevicePort port();

    /// Whether the client asked for the capability that says which areas are disablable.
    public abstract boolean tellsDisablableAreas();

    /// What this client may have.
    public abstract ClientLimits limits();

    /// What this client has mapped.
    public abstract DmaLedger ledger();

    /// Memory of this client that is reached by messages to it, for one mapping.
    public abstract RemoteMemory remoteMemory();

    /// Doorbells of a region, whose events are attended to from now on as long as the client is there; the same ones each time. No more
    /// than the client takes descriptors in a message.
    ///
    /// @throws VfioException EINVAL for a region that does not exist; EMFILE when the process has no descriptor left
    public abstract List<DoorbellEvent> doorbells(int region) throws VfioException;

    /// From now on vectors are masked or unmasked when these events are signalled, as long as the client is there; each takes the place of
    /// the one its vector had for that.
    ///
    /// @param events taken, one for each vector from `start`
    public abstract void setMaskEvents(MaskAction action, int index, int start, List<EventFd> events);

    /// Vectors are no longer masked or unmasked by events.
    public abstract void clearMaskEvents(MaskAction action, int index, int start, int count);

    /// No vector of an interrupt is.
    public abstract void clearMaskEvents(int index);

    /// A file came for memory that the device may write to.
    public abstract void memoryFile(OwnedFd file) throws VfioException;

    /// Counts a fault that has no answer of its own, as in a posted write among others.
    public abstract void fault(VfioException fault);

    /// Requires a payload of exactly that size.
    ///
    /// @throws VfioException EINVAL
    final void requireSize(int size) throws VfioException {
        if (payloadSize() != size) {
            throw invalid("payload", payloadSize(), "0x" + Integer.toHexString(size));
        }
    }

    /// Requires a payload of at least that size.
    ///
    /// @throws VfioException EINVAL
    final void requireAtLeast(int size) throws VfioException {
        if (payloadSize() < size) {
            throw invalid("payload", payloadSize(), "at least 0x" + Integer.toHexString(size));
        }
    }

    /// Requires that no descriptor came.
    ///
    /// @throws VfioException EINVAL
    final void requireNoFds() throws VfioException {
        if (fds() != 0) {
            throw invalid("fds", fds(), "none");
        }
    }

    /// Requires that `argsz` leaves room for that many bytes of answer.
    ///
    /// @throws VfioException EINVAL
    static void requireArgsz(long argsz, int size) throws VfioException {
        if (argsz < size) {
            throw invalid("argsz", argsz, "at least 0x" + Integer.toHexString(size));
        }
    }

    /// An index or the like that fits an int, where devices have theirs.
    ///
    /// @throws VfioException EINVAL
    static int index(String name, long value) throws VfioException {
        if (value > Integer.MAX_VALUE) {
            throw invalid(name, value, "below 0x80000000");
        }
        return (int) value;
    }

    static VfioException invalid(String name, long value, String expected) {
        return new VfioException(Errno.EINVAL, "%s=0x%x expected=%s".formatted(name, value, expected));
    }
}
