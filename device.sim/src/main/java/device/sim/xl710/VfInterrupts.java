// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.MessageInterrupts;
import java.util.Arrays;

/// When a virtual function's vectors send their messages.
///
/// An event makes its vector pending. A pending vector whose INTENA is set sends, which ends both. Vector 0 is pending besides for as long
/// as an enabled cause stands in ICR01, and is looked at anew on each write of its control or of the enables, since drivers write those in
/// either order. Intervals are kept and not waited for: there is no moderation. Write-back on expiry of an interval (WB_ON_ITR) is always
/// given, since everything is written back at once.
///
/// Guarded by the function's lock.
final class VfInterrupts {
    private final MessageInterrupts messages;
    private final boolean[] pending;
    private final int[] control;
    private int causes;
    private int enabledCauses;

    VfInterrupts(MessageInterrupts messages, int controls) {
        this.messages = messages;
        this.pending = new boolean[controls];
        this.control = new int[controls];
    }

    void reset() {
        Arrays.fill(pending, false);
        Arrays.fill(control, 0);
        causes = 0;
        enabledCauses = 0;
    }

    /// What DYN_CTL of the vector reads.
    int control(int vector) {
        return control[vector];
    }

    /// A write of DYN_CTL.
    void writeControl(int vector, int value) {
        int enabled = (value & DynCtl.INTENA_MSK) != 0 ? control[vector] & DynCtl.INTENA : value & DynCtl.INTENA;
        control[vector] = value & DynCtl.KEPT | enabled;
        if ((value & DynCtl.CLEARPBA) != 0) {
            pending[vector] = false;
            if (exists(vector)) {
                messages.clear(vector);
            }
        }
        if ((value & DynCtl.SWINT_TRIG) != 0) {
            pending[vector] = true;
            causes |= vector == 0 ? DynCtl.ICR_SWINT : 0;
        }
        evaluate(vector);
    }

    /// Sets a control register without any effect.
    void pokeControl(int vector, int value) {
        control[vector] = value & (DynCtl.KEPT | DynCtl.INTENA);
    }

    /// An event of a vector: a queue's, or a software one.
    void event(int vector) {
        pending[vector] = true;
        evaluate(vector);
    }

    /// Causes of vector 0 come about, enabled or not.
    void cause(int bits) {
        causes |= bits;
        evaluate(0);
    }

    /// Queues that are served by vector 0 wrote back: a cause for each, and the vector is pending whatever the mailbox's enables say.
    ///
    /// @param queues a bit for each of queue pairs 0 to 3
    void queueCauses(int queues) {
        causes |= (queues & DynCtl.ICR_QUEUES) << DynCtl.ICR_QUEUE_SHIFT;
        event(0);
    }

    /// ICR01 as a driver reads it, which clears it.
    int takeCauses() {
        int taken = causes;
        causes = 0;
        return taken;
    }

    int causes() {
        return causes;
    }

    void pokeCauses(int value) {
        causes = value;
    }

    int enabledCauses() {
        return enabledCauses;
    }

    /// A write of ICR0_ENA1.
    void writeEnabledCauses(int value) {
        enabledCauses = value & DynCtl.ENA_MASK;
        evaluate(0);
    }

    /// What a vector has not sent yet.
    boolean pending(int vector) {
        return pending[vector];
    }

    /// How many controls there are.
    int controls() {
        return control.length;
    }

    /// Takes over what another function's vector was, and sends nothing.
    void restore(int vector, int value, boolean owed) {
        pokeControl(vector, value);
        pending[vector] = owed;
    }

    /// Takes over what another function's causes were, and sends nothing.
    void restoreCauses(int latched, int enabled) {
        causes = latched;
        enabledCauses = enabled & DynCtl.ENA_MASK;
    }

    /// Sends what can be sent.
    void evaluateAll() {
        for (int vector = 0; vector < control.length; vector++) {
            evaluate(vector);
        }
    }

    private void evaluate(int vector) {
        boolean wanted = pending[vector] || vector == 0 && (causes & enabledCauses & ~DynCtl.ICR_SWINT) != 0;
        // A control without a vector behind it keeps what is written and sends nothing.
        if (wanted && (control[vector] & DynCtl.INTENA) != 0 && exists(vector)) {
            pending[vector] = false;
            control[vector] &= ~DynCtl.INTENA;
            messages.raise(vector);
        }
    }

    private boolean exists(int vector) {
        return vector < messages.vectors();
    }
}
