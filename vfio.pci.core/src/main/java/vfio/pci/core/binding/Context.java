// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.DoorbellTap;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.SharedMemory;

/// What one mediation may do with its device, until it is revoked.
public final class Context implements MediationContext {
    private final BoundDevice device;
    private final String mediator;
    /// Until it has taken over: they would be a chain.
    private volatile Optional<Context> predecessor;
    private final Object lock = new Object();
    private final DmaSpace guestMemory = new RevocableDma();
    /// Guarded by the lock: what it asked for itself, how often it did so, and the regions it added.
    private List<Claim> wanted = List.of();
    private int claimed;
    private final List<Integer> added = new ArrayList<>();
    private volatile boolean bound;
    private volatile boolean revoked;

    /// A context on a device.
    ///
    /// @param mediator name of who is offered it
    /// @param predecessor that of the mediation it is tried in place of, if there is one
    public Context(BoundDevice device, String mediator, Optional<Context> predecessor) {
        this.device = device;
        this.mediator = mediator;
        this.predecessor = predecessor;
    }

    /// Name of who was offered it.
    public String mediator() {
        return mediator;
    }

    /// That of the mediation whose regions and interrupts it is to go on with, until [#takenOver()].
    public Optional<Context> predecessor() {
        return predecessor;
    }

    /// It has them.
    public void takenOver() {
        predecessor = Optional.empty();
    }

    /// The mediation it was offered to was taken.
    public void bind() {
        bound = true;
    }

    /// Nothing works any more. What is being added now is added before.
    public void revoke() {
        synchronized (lock) {
            revoked = true;
        }
    }

    /// Whether it was revoked.
    public boolean isRevoked() {
        return revoked;
    }

    /// All it wants to see, the regions it added among it.
    public List<Claim> claims() {
        synchronized (lock) {
            List<Claim> all = new ArrayList<>(wanted);
            added.forEach(index -> all.add(Claim.whole(index)));
            return all;
        }
    }

    /// Asks what it wants at first; what it claims meanwhile, by another thread, is newer than the answer and stays.
    public void wantsAtFirst(Supplier<List<Claim>> asked) {
        int before;
        synchronized (lock) {
            before = claimed;
        }
        List<Claim> first = List.copyOf(asked.get());
        synchronized (lock) {
            if (claimed == before) {
                wanted = first;
            }
        }
    }

    private void wants(List<Claim> claims) {
        synchronized (lock) {
            wanted = List.copyOf(claims);
            claimed++;
        }
    }

    @Override
    public void readBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        check();
        device.readBelow(region, offset, buffer, bufferOffset, count);
    }

    @Override
    public void writeBelow(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        check();
        device.writeBelow(region, offset, buffer, bufferOffset, count);
    }

    @Override
    public RegionInfo regionInfoBelow(int region) throws VfioException {
        check();
        return device.regionInfoBelow(region);
    }

    @Override
    public int addRegion(long size, Optional<SharedMemory> backing, RegionInfo info) {
        int index;
        synchronized (lock) {
            checkState();
            index = device.addRegion(this, size, backing, info);
            added.add(index);
        }
        device.claimsChanged(this);
        return index;
    }

    @Override
    public int addIrq(int count, IrqInfo.Type type) {
        checkState();
        return device.addIrq(this, count, type);
    }

    @Override
    public boolean raise(int irq, int vector) {
        checkState();
        return device.raise(irq, vector);
    }

    @Override
    public void claim(List<Claim> claims) {
        checkState();
        wants(claims);
        device.claimsChanged(this);
    }

    @Override
    public List<String> unmap(List<Claim> ranges) {
        checkState();
        checkBound("clients to be told");
        return device.unmap(List.copyOf(ranges));
    }

    @Override
    public List<String> mappedBy(List<Claim> ranges) {
        checkState();
        return device.mappedBy(ranges);
    }

    @Override
    public void trap(boolean on) throws VfioException {
        check();
        checkBound("trapping to be switched");
        device.trap(this, on);
    }

    @Override
    public void untrap() {
        checkState();
        checkBound("trapping to be switched");
        device.untrap(this);
    }

    @Override
    public void watchDoorbells(DoorbellTap subscriber) throws VfioException {
        check();
        checkBound("doorbells to be watched");
        device.watchDoorbells(this, Objects.requireNonNull(subscriber, "subscriber"));
    }

    @Override
    public void unwatchDoorbells() {
        checkState();
        device.unwatchDoorbells(this);
    }

    @Override
    public boolean trapping() {
        checkState();
        return device.trapping();
    }

    @Override
    public SharedMemory sharedMemory(String name, long size) throws VfioException {
        check();
        return device.sharedMemory(name, size);
    }

    @Override
    public DmaSpace guestMemory() {
        checkState();
        return guestMemory;
    }

    private void check() throws VfioException {
        if (revoked) {
            throw new VfioException(Errno.EOPNOTSUPP, "context=revoked expected=a mediation that is not closed");
        }
    }

    private void checkBound(String what) {
        if (!bound) {
            throw new IllegalStateException("context=not bound yet expected=%s after the open".formatted(what));
        }
    }

    private void checkState() {
        if (revoked) {
            throw new IllegalStateException("context=revoked expected=a mediation that is not closed");
        }
    }

    /// Guest memory, as long as the context is good.
    private final class RevocableDma implements DmaSpace {
        @Override
        public void read(long iova, MemorySegment destination, long destinationOffset, long count) throws VfioException {
            check();
            device.dma().read(iova, destination, destinationOffset, count);
        }

        @Override
        public void write(long iova, MemorySegment source, long sourceOffset, long count) throws VfioException {
            check();
            device.dma().write(iova, source, sourceOffset, count);
        }
    }
}
