// SPDX-License-Identifier: Apache-2.0
package device.sim.xl710;

import device.sim.function.MessageInterrupts;
import device.sim.xl710.engine.Task;
import java.util.Arrays;
import java.util.function.LongSupplier;

/// When a virtual function's vectors send their messages.
///
/// An event makes its vector pending under a throttling index. A pending vector whose INTENA is set sends, which ends both, as soon as the
/// interval of one of the indices that are pending has passed since the vector sent last; under no index (3) at once. So the first event
/// after a pause is never delayed, and what comes within an interval is one message at its end. Intervals are read when they are needed, so
/// that one that changes counts from then on. A software interrupt has the index that was written with it, or none; the mailbox has that of
/// STAT_CTL01.
///
/// Vector 0 is pending besides for as long as an enabled cause stands in ICR01, and is looked at anew on each write of its control or of
/// the enables, since drivers write those in either order. Write-back on expiry of an interval (WB_ON_ITR) is always given, since
/// everything is written back at once.
///
/// Guarded by the function's lock, but for [#due()] and [#waitNanos()], which any thread may ask.
final class VfInterrupts {
    /// A pending event that no interval holds back.
    static final int UNTHROTTLED = 1 << DynCtl.ITR_NONE;

    private static final long UNIT_NANOS = 2_000;

    private final MessageInterrupts messages;
    private final VfThrottling throttling;
    private final LongSupplier clock;
    private final Runnable deferred;
    /// A bit for each index under which the vector is pending.
    private final int[] pending;
    private final int[] control;
    /// When the vector sent last, where it has.
    private final long[] sent;
    private final boolean[] sentEver;
    private int causes;
    private int enabledCauses;
    /// Whether a vector waits for the end of an interval, and for when.
    private volatile boolean waits;
    private volatile long earliest;

    /// @param clock nanoseconds
    /// @param deferred told that a vector waits from now on; must not block
    VfInterrupts(MessageInterrupts messages, int controls, VfThrottling throttling, LongSupplier clock, Runnable deferred) {
        this.messages = messages;
        this.throttling = throttling;
        this.clock = clock;
        this.deferred = deferred;
        this.pending = new int[controls];
        this.control = new int[controls];
        this.sent = new long[controls];
        this.sentEver = new boolean[controls];
    }

    void reset() {
        Arrays.fill(pending, 0);
        Arrays.fill(control, 0);
        Arrays.fill(sentEver, false);
        causes = 0;
        enabledCauses = 0;
        waits = false;
    }

    /// What DYN_CTL of the vector reads.
    int control(int vector) {
        return control[vector];
    }

    /// A write of DYN_CTL. An interval that comes with it is set already.
    void writeControl(int vector, int value) {
        int enabled = (value & DynCtl.INTENA_MSK) != 0 ? control[vector] & DynCtl.INTENA : value & DynCtl.INTENA;
        control[vector] = value & DynCtl.KEPT | enabled;
        if ((value & DynCtl.CLEARPBA) != 0) {
            pending[vector] = 0;
            if (exists(vector)) {
                messages.clear(vector);
            }
        }
        if ((value & DynCtl.SWINT_TRIG) != 0) {
            int index = value >>> DynCtl.SW_ITR_INDX_SHIFT & DynCtl.ITR_INDX_MASK;
            pending[vector] |= (value & DynCtl.SW_ITR_INDX_ENA) != 0 ? 1 << index : UNTHROTTLED;
            causes |= vector == 0 ? DynCtl.ICR_SWINT : 0;
        }
        evaluate(vector);
    }

    /// Sets a control register without any effect.
    void pokeControl(int vector, int value) {
        control[vector] = value & (DynCtl.KEPT | DynCtl.INTENA);
    }

    /// An event of a vector.
    ///
    /// @param indices a bit for each throttling index, 3 for none, under which it comes
    void event(int vector, int indices) {
        pending[vector] |= indices;
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
    /// @param indices as in [#event]
    void queueCauses(int queues, int indices) {
        causes |= (queues & DynCtl.ICR_QUEUES) << DynCtl.ICR_QUEUE_SHIFT;
        event(0, indices);
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
        return pending[vector] != 0;
    }

    /// How many controls there are.
    int controls() {
        return control.length;
    }

    /// Takes over what another function's vector was, and sends nothing. What it owes it may send at once.
    void restore(int vector, int value, boolean owed) {
        pokeControl(vector, value);
        pending[vector] = owed ? UNTHROTTLED : 0;
        sentEver[vector] = false;
    }

    /// Takes over what another function's causes were, and sends nothing.
    void restoreCauses(int latched, int enabled) {
        causes = latched;
        enabledCauses = enabled & DynCtl.ENA_MASK;
    }

    /// Whether the interval of a vector that waited may have passed.
    boolean due() {
        return waits && clock.getAsLong() - earliest >= 0;
    }

    /// Nanoseconds until that.
    long waitNanos() {
        return waits ? Math.max(0, earliest - clock.getAsLong()) : Task.FOREVER;
    }

    /// Sends what can be sent.
    void evaluateAll() {
        waits = false;
        for (int vector = 0; vector < control.length; vector++) {
            evaluate(vector);
        }
    }

    private void evaluate(int vector) {
        int wanted = pending[vector];
        if (vector == 0 && (causes & enabledCauses & ~DynCtl.ICR_SWINT) != 0) {
            wanted |= 1 << throttling.indexOfOthers();
        }
        // A control without a vector behind it keeps what is written and sends nothing.
        if (wanted == 0 || (control[vector] & DynCtl.INTENA) == 0 || !exists(vector)) {
            return;
        }
        long now = clock.getAsLong();
        long held = heldNanos(vector, wanted, now);
        if (held > 0) {
            defer(now + held);
            return;
        }
        pending[vector] = 0;
        control[vector] &= ~DynCtl.INTENA;
        sent[vector] = now;
        sentEver[vector] = true;
        messages.raise(vector);
    }

    /// How long the intervals hold a vector back that is pending under these indices; 0 or less when one does not.
    private long heldNanos(int vector, int wanted, long now) {
        if ((wanted & UNTHROTTLED) != 0 || !sentEver[vector]) {
            return 0;
        }
        int shortest = Integer.MAX_VALUE;
        for (int index = 0; index < DynCtl.ITR_NONE; index++) {
            if ((wanted & 1 << index) != 0) {
                shortest = Math.min(shortest, throttling.interval(vector, index));
            }
        }
        return sent[vector] + shortest * UNIT_NANOS - now;
    }

    private void defer(long until) {
        if (!waits || until - earliest < 0) {
            earliest = until;
            waits = true;
            deferred.run();
        }
    }

    private boolean exists(int vector) {
        return vector < messages.vectors();
    }
}
