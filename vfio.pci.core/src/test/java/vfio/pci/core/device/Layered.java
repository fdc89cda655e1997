// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/// A mediation that tells what it sees, and passes it on unless it is told otherwise.
final class Layered extends Mediation {
    final AtomicInteger closes = new AtomicInteger();
    volatile MediationContext context;
    /// Handles accesses by asking below.
    volatile boolean asksBelow;
    volatile boolean refuses;
    volatile boolean throwsUp;
    /// What it answers a read with, unless 0.
    volatile int answers;
    private final String name;
    private final List<String> log;
    private final List<Claim> claims;

    Layered(String name, List<String> log, Claim... claims) {
        this.name = name;
        this.log = log;
        this.claims = List.of(claims);
    }

    Layered in(MediationContext offered) {
        context = offered;
        return this;
    }

    private void tell(String what) throws VfioException {
        log.add(name + " " + what);
        if (throwsUp) {
            throw new IllegalStateException("a bug of " + name);
        }
        if (refuses) {
            throw new VfioException(Errno.EACCES, "mediation=%s expected=something else".formatted(name));
        }
    }

    @Override
    public List<Claim> claims() {
        return claims;
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        tell("read");
        if (answers != 0) {
            buffer.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset, answers);
            return Verdict.HANDLED;
        }
        if (asksBelow) {
            context.readBelow(region, offset, buffer, bufferOffset, count);
            return Verdict.HANDLED;
        }
        return Verdict.PASS_THROUGH;
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        tell("write");
        if (asksBelow) {
            context.writeBelow(region, offset, buffer, bufferOffset, count);
            return Verdict.HANDLED;
        }
        return Verdict.PASS_THROUGH;
    }

    @Override
    public boolean stateless() {
        return true;
    }

    @Override
    public void reset() throws VfioException {
        tell("reset");
    }

    @Override
    public void close() {
        closes.incrementAndGet();
        log.add(name + " close");
    }
}
