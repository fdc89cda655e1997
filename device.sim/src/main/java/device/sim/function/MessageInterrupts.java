// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import java.util.Arrays;
import java.util.Optional;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.Interrupts;

/// The message-signalled interrupts of a function: sends them to its driver, and keeps pending what the driver does not take, as the
/// pending bits of MSI-X do.
///
/// Whether a vector is masked is what the driver says by taking it or not, and not the table in the BAR: under VFIO the table belongs to
/// whoever drives the function, and a client's view of it is virtual.
///
/// Guarded by the function's lock, which is held while the driver's [Interrupts] is called: that never blocks and never calls back, and no
/// message is sent after a reset or unbind has returned.
public final class MessageInterrupts {
    private final InterruptKind kind;
    private final boolean[] pending;
    private Optional<Interrupts> driver = Optional.empty();

    /// None pending, nobody to take them.
    ///
    /// @param kind MSI or MSI-X
    public MessageInterrupts(InterruptKind kind, int vectors) {
        this.kind = kind;
        this.pending = new boolean[vectors];
    }

    /// How many vectors there are.
    public int vectors() {
        return pending.length;
    }

    /// Sends a vector's message, or leaves it pending.
    ///
    /// @return whether somebody took it
    public boolean raise(int vector) {
        boolean taken = driver.isPresent() && driver.get().raise(kind, vector);
        pending[vector] = !taken;
        return taken;
    }

    /// Forgets a message that is pending.
    public void clear(int vector) {
        pending[vector] = false;
    }

    /// 32 pending bits as the pending bit array has them.
    public int pendingBits(int firstVector) {
        int bits = 0;
        for (int i = 0; i < Integer.SIZE && firstVector + i < pending.length; i++) {
            bits |= pending[firstVector + i] ? 1 << i : 0;
        }
        return bits;
    }

    /// Takes over what another function had pending, and sends nothing.
    ///
    /// @param bits of the first 32 vectors, as [#pendingBits(int)] said
    public void restore(int bits) {
        for (int i = 0; i < pending.length; i++) {
            pending[i] = i < Integer.SIZE && (bits & 1 << i) != 0;
        }
    }

    /// Tries again to send what is pending.
    public void retry() {
        for (int i = 0; i < pending.length; i++) {
            if (pending[i]) {
                raise(i);
            }
        }
    }

    void vectorEnabled(InterruptKind enabledKind, int vector) {
        if (enabledKind == kind && vector >= 0 && vector < pending.length && pending[vector]) {
            raise(vector);
        }
    }

    void attach(Interrupts interrupts) {
        driver = Optional.of(interrupts);
    }

    void detach() {
        driver = Optional.empty();
    }

    /// Forgets every message that is pending.
    public void reset() {
        Arrays.fill(pending, false);
    }
}
