// SPDX-License-Identifier: Apache-2.0
package vfio.user.traffic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import vfio.pci.api.admin.CommandTraffic;

/// One command's. One thread at a time writes, any reads.
final class CommandCounts {
    private static final VarHandle REQUESTS;
    private static final VarHandle ERRORS;

    static {
        try {
            REQUESTS = MethodHandles.lookup().findVarHandle(CommandCounts.class, "requests", long.class);
            ERRORS = MethodHandles.lookup().findVarHandle(CommandCounts.class, "errors", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Latencies latencies = new Latencies();
    private long requests;
    private long errors;

    void request() {
        REQUESTS.setOpaque(this, requests + 1);
    }

    void error() {
        ERRORS.setOpaque(this, errors + 1);
    }

    void took(long nanos) {
        latencies.add(nanos);
    }

    long requests() {
        return (long) REQUESTS.getOpaque(this);
    }

    long errors() {
        return (long) ERRORS.getOpaque(this);
    }

    CommandTraffic snapshot(String name) {
        long[] times = latencies.percentiles(500, 990, 999);
        return new CommandTraffic(name, requests(), errors(), times[0], times[1], times[2], latencies.max());
    }
}
