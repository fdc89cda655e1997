// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;

/// A mediation that claims some registers, answers them with one value, and knows whether it was closed, and whether anybody called it
/// after.
class AnsweringMediation extends Mediation {
    static final int ANSWER = 0xA5;

    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();
    final AtomicInteger closes = new AtomicInteger();
    final AtomicInteger lateCalls = new AtomicInteger();
    private final List<Claim> claims;

    AnsweringMediation(Claim... claims) {
        this.claims = List.of(claims);
    }

    final void called() {
        if (closes.get() > 0) {
            lateCalls.incrementAndGet();
        }
    }

    @Override
    public Set<Capability> capabilities() {
        called();
        return Set.of();
    }

    @Override
    public List<Claim> claims() {
        called();
        return claims;
    }

    @Override
    public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        called();
        reads.incrementAndGet();
        for (int i = 0; i < count; i++) {
            buffer.set(ValueLayout.JAVA_BYTE, bufferOffset + i, (byte) ANSWER);
        }
        called();
        return Verdict.HANDLED;
    }

    @Override
    public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        called();
        writes.incrementAndGet();
        return Verdict.HANDLED;
    }

    @Override
    public void close() {
        closes.incrementAndGet();
    }
}
