// SPDX-License-Identifier: Apache-2.0
package device.sim.igd;

import device.sim.function.MessageInterrupts;
import java.util.Arrays;
import java.util.Optional;
import vfio.pci.api.function.Interrupts;

/// Four groups of interrupts that make one line. The line rising sends a message; where nobody takes that, the pin is set for as long as
/// the line is.
///
/// Guarded by the function's lock.
final class IgdInterrupts {
    /// Bit 31 of GEN8_MASTER_IRQ.
    static final int MASTER_ENABLE = 1 << 31;
    /// What [#raise()] makes come: the render engine's user interrupt, bit 0 of group 0.
    static final int RENDER_USER_INTERRUPT = 1;

    private static final int GROUPS = 4;
    private static final int GROUP_HALF = 0xFFFF;

    private final MessageInterrupts messages;
    private final int[] mask = new int[GROUPS];
    private final int[] identity = new int[GROUPS];
    private final int[] enable = new int[GROUPS];
    private boolean master;
    private boolean forced;
    private boolean line;
    private Optional<Interrupts> driver = Optional.empty();

    IgdInterrupts(MessageInterrupts messages) {
        this.messages = messages;
        Arrays.fill(mask, -1);
    }

    void attach(Interrupts interrupts) {
        driver = Optional.of(interrupts);
    }

    void detach() {
        driver = Optional.empty();
    }

    void reset() {
        Arrays.fill(mask, -1);
        Arrays.fill(identity, 0);
        Arrays.fill(enable, 0);
        master = false;
        forced = false;
        evaluate();
    }

    /// Lets an interrupt come whatever mask and enables say.
    ///
    /// @return whether somebody took the message
    boolean raise() {
        identity[0] |= RENDER_USER_INTERRUPT;
        forced = true;
        if (line) {
            return messages.raise(0);
        }
        evaluate();
        return messages.pendingBits(0) == 0;
    }

    int master() {
        int summary = master ? MASTER_ENABLE : 0;
        for (int group = 0; group < GROUPS; group++) {
            summary |= (identity[group] & GROUP_HALF) != 0 ? 1 << 2 * group : 0;
            summary |= identity[group] >>> 16 != 0 ? 1 << 2 * group + 1 : 0;
        }
        return summary;
    }

    void master(int value) {
        master = (value & MASTER_ENABLE) != 0;
        evaluate();
    }

    int mask(int group) {
        return mask[group];
    }

    void mask(int group, int value) {
        mask[group] = value;
    }

    int identity(int group) {
        return identity[group];
    }

    void clearIdentity(int group, int bits) {
        identity[group] &= ~bits;
        forced &= identity[0] != 0;
        evaluate();
    }

    int enable(int group) {
        return enable[group];
    }

    void enable(int group, int value) {
        enable[group] = value;
        evaluate();
    }

    /// Interrupts come in a group; those that are masked are lost.
    void come(int group, int bits) {
        identity[group] |= bits & ~mask[group];
        evaluate();
    }

    private void evaluate() {
        boolean wanted = forced;
        for (int group = 0; group < GROUPS; group++) {
            wanted |= master && (identity[group] & enable[group]) != 0;
        }
        if (wanted == line) {
            return;
        }
        line = wanted;
        if (!wanted) {
            messages.clear(0);
        }
        boolean byMessage = wanted && messages.raise(0);
        if (driver.isPresent()) {
            driver.get().intx(wanted && !byMessage);
        }
    }
}
