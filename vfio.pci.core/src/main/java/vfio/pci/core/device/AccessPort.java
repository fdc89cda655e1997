// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import linux.sys.ProcessBarrier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.gate.GateSlot;
import vfio.pci.core.region.Region;

/// The access path. This is the device's border as well: bugs of a mediation and of a function end here.
///
/// A port says that its thread is in an access, for who holds the device to wait for: it stores that and then looks whether the device is
/// held, the other says that it is held and then looks at the ports. Between the two here there is no fence where who holds has all threads
/// pass one.
final class AccessPort implements DevicePort {
    private static final boolean FENCES = !ProcessBarrier.isAvailable();
    private static final VarHandle INSIDE;

    static {
        try {
            INSIDE = MethodHandles.lookup().findVarHandle(AccessPort.class, "inside", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final OpenDevice device;
    private final DeviceHandle handle;
    private final Usability usability;
    private final DeviceMediation mediation;
    private final Interests interests;
    private final DeviceRegions regions;
    private final Gate<Binding> gate;
    private final GateSlot slot;
    private final boolean told;
    private final PortPassages passages;
    private final Descent descent;
    private final AccessCounters counters = new AccessCounters();
    /// Accesses that the port's thread is in, one within the other. Read by who holds the device.
    private int inside;
    /// Also set by who closes the handle.
    private volatile boolean closed;
    /// What was to be run at the last release that was waited for, or null.
    private volatile Runnable waiting;

    AccessPort(OpenDevice device, DeviceHandle handle) {
        this.device = device;
        this.handle = handle;
        this.usability = device.usability();
        this.mediation = device.mediation();
        this.interests = device.interests();
        this.regions = device.regions();
        this.gate = mediation.base().gate();
        this.slot = gate.slot();
        this.told = handle.told();
        this.passages = new PortPassages(counters, mediation.base(), slot);
        this.descent = new Descent(device, told, passages);
    }

    AccessCounters counters() {
        return counters;
    }

    @Override
    public void read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        Objects.checkFromIndexSize(bufferOffset, count, buffer.byteSize());
        int outer = inside;
        sayInside(outer + 1);
        try {
            comeIn(outer);
            Region target = regions.at(region);
            if (target.isPlain(offset, count)) {
                counters.countPassed();
            } else if (watchedRead(target, region, offset, buffer, bufferOffset, count)) {
                return;
            }
            target.read(handle, offset, buffer, bufferOffset, count);
        } catch (VfioException e) {
            counters.countError();
            throw e;
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            counters.countError();
            throw device.functionFault(e);
        } finally {
            INSIDE.setRelease(this, outer);
        }
    }

    @Override
    public void write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        Objects.checkFromIndexSize(bufferOffset, count, buffer.byteSize());
        int outer = inside;
        sayInside(outer + 1);
        try {
            comeIn(outer);
            Region target = regions.at(region);
            if (target.isPlain(offset, count)) {
                counters.countPassed();
            } else if (watchedWrite(target, region, offset, buffer, bufferOffset, count)) {
                return;
            }
            target.write(handle, offset, buffer, bufferOffset, count);
        } catch (VfioException e) {
            counters.countError();
            throw e;
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            counters.countError();
            throw device.functionFault(e);
        } finally {
            INSIDE.setRelease(this, outer);
        }
    }

    @Override
    public boolean lend(int region, long offset, int count, Borrower borrower) throws VfioException {
        int outer = inside;
        sayInside(outer + 1);
        try {
            comeIn(outer);
            Region target = regions.at(region);
            target.check(region, offset, count);
            if (interests.of(told).in(region, offset, count) != 0) {
                return false;
            }
            target.checkOwn(region, offset, count);
            boolean lent = target.lend(offset, count, borrower);
            if (lent) {
                counters.countPassed();
            }
            return lent;
        } catch (VfioException e) {
            counters.countError();
            throw e;
        } finally {
            INSIDE.setRelease(this, outer);
        }
    }

    @Override
    public boolean enter(Runnable released) {
        int outer = inside;
        sayInside(outer + 1);
        Hold hold = outer == 0 ? usability.held() : null;
        if (hold == null) {
            return true;
        }
        INSIDE.setRelease(this, 0);
        waiting = released;
        hold.whenOver(released);
        return false;
    }

    @Override
    public void leave() {
        INSIDE.setRelease(this, inside - 1);
    }

    /// After it was said that the thread is in an access: one that begins while the device is held waits first; one within another goes on.
    private void comeIn(int outer) throws VfioException {
        boolean clear = usability.isClear();
        if (!clear && outer == 0) {
            awaitRelease();
        }
        if (closed) {
            throw new VfioException(Errno.EBADF, "port=closed expected=an open port");
        }
        if (!clear) {
            usability.check();
        }
    }

    private void awaitRelease() {
        for (Hold hold = usability.held(); hold != null; hold = usability.held()) {
            INSIDE.setRelease(this, 0);
            hold.await();
            sayInside(1);
        }
    }

    private void sayInside(int depth) {
        INSIDE.setRelease(this, depth);
        if (FENCES) {
            VarHandle.fullFence();
        } else {
            // For the compiler, which might otherwise look first.
            VarHandle.releaseFence();
        }
    }

    /// Whether its thread is in an access. Any thread.
    boolean isInside() {
        return (int) INSIDE.getAcquire(this) != 0;
    }

    /// Whether the mediation is to be asked; counts what the access is otherwise.
    private boolean claimed(int what) {
        countTrapped(what);
        if ((what & Interest.CLAIMED) != 0) {
            return true;
        }
        counters.countPassed();
        return false;
    }

    /// An access in which somebody may take an interest, or which is refused.
    ///
    /// @return whether it is done
    private boolean watchedRead(Region target, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        target.check(region, offset, count);
        Interest interest = interests.of(told);
        int what = interest.in(region, offset, count);
        if (what >= Interest.STACKED ? stackedRead(interest, what, region, offset, buffer, bufferOffset, count)
                : claimed(what) && mediatedRead(interest, region, offset, buffer, bufferOffset, count)) {
            return true;
        }
        target.checkOwn(region, offset, count);
        return false;
    }

    private boolean watchedWrite(Region target, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        target.check(region, offset, count);
        Interest interest = interests.of(told);
        int what = interest.in(region, offset, count);
        if (what >= Interest.STACKED ? stackedWrite(interest, what, region, offset, buffer, bufferOffset, count)
                : claimed(what) && mediatedWrite(interest, region, offset, buffer, bufferOffset, count)) {
            return true;
        }
        target.checkOwn(region, offset, count);
        return false;
    }

    /// Whether the mediation, if it is there still and wants this, has done it.
    private boolean mediatedRead(Interest before, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        int depth = slot.depth();
        Binding binding = null;
        try {
            binding = gate.enter(slot);
            if (!wants(binding, before, region, offset, count)) {
                return false;
            }
            return handled(binding, binding.mediation().read(region, offset, buffer, bufferOffset, count));
        } catch (VfioException e) {
            throw answered(binding, e);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        } finally {
            leave(binding, depth);
        }
    }

    private boolean mediatedWrite(Interest before, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        int depth = slot.depth();
        Binding binding = null;
        try {
            binding = gate.enter(slot);
            if (!wants(binding, before, region, offset, count)) {
                return false;
            }
            return handled(binding, binding.mediation().write(region, offset, buffer, bufferOffset, count));
        } catch (VfioException e) {
            throw answered(binding, e);
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        } finally {
            leave(binding, depth);
        }
    }

    private void countTrapped(int what) {
        if ((what & Interest.TRAPPED) != 0) {
            counters.countTrapped();
        }
    }

    /// Whether one of several layers has done it.
    private boolean stackedRead(Interest interest, int what, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        countTrapped(what);
        return ended(descent.read(interest, what & ~Interest.TRAPPED, region, offset, buffer, bufferOffset, count));
    }

    private boolean stackedWrite(Interest interest, int what, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        countTrapped(what);
        return ended(descent.write(interest, what & ~Interest.TRAPPED, region, offset, buffer, bufferOffset, count));
    }

    private boolean ended(Descent.End end) {
        if (end == Descent.End.UNSEEN) {
            counters.countPassed();
        }
        return end == Descent.End.HANDLED;
    }

    /// Asked again inside if there are other claims than those that sent the access here, which may have been a predecessor's. An access
    /// that was meant for a mediation passes it by where the mediator has gone, but not where the whole device has.
    private boolean wants(Binding binding, Interest before, int region, long offset, int count) throws VfioException {
        Interest now = interests.of(told);
        if (binding != null && (now == before || (now.in(region, offset, count) & Interest.CLAIMED) != 0)) {
            counters.countMediated();
            return true;
        }
        usability.check();
        counters.countPassed();
        return false;
    }

    static boolean handled(Binding binding, Verdict verdict) throws VfioException {
        if (binding.isAbandoned()) {
            throw abandoned();
        }
        return Objects.requireNonNull(verdict, "verdict") == Verdict.HANDLED;
    }

    private VfioException fault(Binding binding, Throwable bug) {
        return binding == null ? device.functionFault(bug) : mediation.fault(binding, bug);
    }

    /// What the mediation answers with, unless it was given up meanwhile.
    static VfioException answered(Binding binding, VfioException answer) {
        return binding != null && binding.isAbandoned() ? abandoned() : answer;
    }

    private static VfioException abandoned() {
        return new VfioException(Errno.EIO, "mediation=abandoned expected=an answer before the drain timeout");
    }

    private void leave(Binding binding, int depth) {
        gate.leave(slot, depth);
        if (binding != null && depth == 0) {
            binding.takeInterruptBack();
        }
    }

    /// For the handle, which is being closed.
    void retire() {
        closed = true;
        Hold hold = usability.held();
        Runnable waker = waiting;
        if (hold != null && waker != null) {
            hold.forget(waker);
        }
        passages.retire();
    }

    @Override
    public void close() {
        if (!closed) {
            handle.remove(this);
        }
    }
}
