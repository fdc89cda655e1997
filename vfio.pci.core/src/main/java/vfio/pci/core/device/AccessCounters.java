// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Counters of one port: written by its thread alone, without a read-modify-write, and read by whoever asks.
final class AccessCounters {
    private static final VarHandle MEDIATED;
    private static final VarHandle PASSED;
    private static final VarHandle TRAPPED;
    private static final VarHandle ERRORS;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            MEDIATED = lookup.findVarHandle(AccessCounters.class, "mediated", long.class);
            PASSED = lookup.findVarHandle(AccessCounters.class, "passed", long.class);
            TRAPPED = lookup.findVarHandle(AccessCounters.class, "trapped", long.class);
            ERRORS = lookup.findVarHandle(AccessCounters.class, "errors", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private long mediated;
    private long passed;
    private long trapped;
    private long errors;

    void countMediated() {
        MEDIATED.setOpaque(this, mediated + 1);
    }

    void countPassed() {
        PASSED.setOpaque(this, passed + 1);
    }

    void countTrapped() {
        TRAPPED.setOpaque(this, trapped + 1);
    }

    void countError() {
        ERRORS.setOpaque(this, errors + 1);
    }

    long mediated() {
        return (long) MEDIATED.getOpaque(this);
    }

    long passed() {
        return (long) PASSED.getOpaque(this);
    }

    long trapped() {
        return (long) TRAPPED.getOpaque(this);
    }

    long errors() {
        return (long) ERRORS.getOpaque(this);
    }
}
