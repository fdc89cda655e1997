// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.xl710.mailbox.ReturnCode;
import java.io.ByteArrayOutputStream;
import java.util.Optional;
import vfio.pci.api.VfioException;

/// The state of one virtual function on its way out of the card or into it. Used by the physical function's thread alone.
///
/// The function stands still from [#stop()] to [#restart()]; what is read or loaded is so only in between. A function that its driver gave
/// back meanwhile stands still no more, and everything but stop and restart is refused.
final class VfStateTransfer {
    private final VfModel function;
    private Optional<byte[]> read = Optional.empty();
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    VfStateTransfer(VfModel function) {
        this.function = function;
    }

    /// Has the function stand still.
    void stop() {
        function.gate().freeze();
        forget();
    }

    /// Has the function go on, if it stands still.
    void restart() {
        if (function.gate().frozen()) {
            function.gate().thaw();
        }
        forget();
    }

    /// How long the state is.
    int length() {
        return state().length;
    }

    /// Copies a part of the state, which is taken when its length or first part is asked for.
    ///
    /// @return bytes copied; 0 behind the end
    int read(int offset, byte[] part) {
        byte[] state = state();
        int count = offset < 0 ? 0 : Math.max(0, Math.min(part.length, state.length - offset));
        System.arraycopy(state, Math.max(0, Math.min(offset, state.length)), part, 0, count);
        return count;
    }

    /// Takes a part of another's state. Parts come in order; the first one starts over.
    ///
    /// @return whether it was the next one, and all of it is not too much
    boolean write(int offset, byte[] part) {
        if (offset == 0) {
            written.reset();
        }
        if (offset != written.size() || part.length > StateWriter.MOST - offset) {
            return false;
        }
        written.writeBytes(part);
        return true;
    }

    /// The queue pairs as they are, whether the function stands still or not.
    byte[] queues() {
        return function.queues().save();
    }

    int written() {
        return written.size();
    }

    /// Has the function take over what was written. One that cannot stays as it was.
    ReturnCode load() {
        try {
            VfStateAccess.load(function, VfState.decode(written.toByteArray(), VfStateAccess.save(function)));
            forget();
            return ReturnCode.OK;
        } catch (VfioException e) {
            return ReturnCode.EINVAL;
        }
    }

    boolean stopped() {
        return function.gate().frozen();
    }

    private byte[] state() {
        if (read.isEmpty()) {
            read = Optional.of(VfStateAccess.save(function).encode());
        }
        return read.get();
    }

    private void forget() {
        read = Optional.empty();
        written.reset();
    }
}
