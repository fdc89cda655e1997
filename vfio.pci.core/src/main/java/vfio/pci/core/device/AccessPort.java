// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.binding.Claims;
import vfio.pci.core.gate.Gate;
import vfio.pci.core.gate.GateSlot;
import vfio.pci.core.region.Region;

/// The access path. This is the device's border as well: bugs of a mediation and of a function end here.
final class AccessPort implements DevicePort {
    private final OpenDevice device;
    private final DeviceHandle handle;
    private final Gate<Binding> gate;
    private final GateSlot slot;
    private final AccessCounters counters = new AccessCounters();
    /// Also set by who closes the handle.
    private volatile boolean closed;

    AccessPort(OpenDevice device, DeviceHandle handle) {
        this.device = device;
        this.handle = handle;
        this.gate = device.mediation().gate();
        this.slot = gate.slot();
    }

    AccessCounters counters() {
        return counters;
    }

    @Override
    public void read(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        Objects.checkFromIndexSize(bufferOffset, count, buffer.byteSize());
        try {
            Region target = target(region, offset, count);
            if (device.mediation().claims().overlap(region, offset, count)) {
                if (mediatedRead(region, offset, buffer, bufferOffset, count)) {
                    return;
                }
            } else {
                counters.countPassed();
            }
            target.checkOwn(region, offset, count);
            target.read(handle, offset, buffer, bufferOffset, count);
        } catch (VfioException e) {
            counters.countError();
            throw e;
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            counters.countError();
            throw device.functionFault(e);
        }
    }

    @Override
    public void write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        Objects.checkFromIndexSize(bufferOffset, count, buffer.byteSize());
        try {
            Region target = target(region, offset, count);
            if (device.mediation().claims().overlap(region, offset, count)) {
                if (mediatedWrite(region, offset, buffer, bufferOffset, count)) {
                    return;
                }
            } else {
                counters.countPassed();
            }
            target.checkOwn(region, offset, count);
            target.write(handle, offset, buffer, bufferOffset, count);
        } catch (VfioException e) {
            counters.countError();
            throw e;
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            counters.countError();
            throw device.functionFault(e);
        }
    }

    private Region target(int region, long offset, int count) throws VfioException {
        if (closed) {
            throw new VfioException(Errno.EBADF, "port=closed expected=an open port");
        }
        device.checkUsable();
        Region target = device.regions().at(region);
        target.check(region, offset, count);
        if (handle.trappedAreas().overlap(region, offset, count)) {
            counters.countTrapped();
        }
        return target;
    }

    /// Whether the mediation, if it is there still and wants this, has done it.
    private boolean mediatedRead(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        int depth = slot.depth();
        Binding binding = null;
        try {
            binding = gate.enter(slot);
            if (!wants(binding, region, offset, count)) {
                return false;
            }
            return handled(binding, binding.mediation().read(region, offset, buffer, bufferOffset, count));
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        } finally {
            leave(binding, depth);
        }
    }

    private boolean mediatedWrite(int region, long offset, MemorySegment buffer, long bufferOffset, int count) throws VfioException {
        int depth = slot.depth();
        Binding binding = null;
        try {
            binding = gate.enter(slot);
            if (!wants(binding, region, offset, count)) {
                return false;
            }
            return handled(binding, binding.mediation().write(region, offset, buffer, bufferOffset, count));
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            throw fault(binding, e);
        } finally {
            leave(binding, depth);
        }
    }

    /// Asked again inside: the claims that sent the access here may have been a predecessor's.
    private boolean wants(Binding binding, int region, long offset, int count) {
        Claims claims = device.mediation().claims();
        if (binding != null && claims.overlap(region, offset, count)) {
            counters.countMediated();
            return true;
        }
        counters.countPassed();
        return false;
    }

    private static boolean handled(Binding binding, Verdict verdict) throws VfioException {
        if (binding.isAbandoned()) {
            throw new VfioException(Errno.EIO, "mediation=abandoned expected=an answer before the drain timeout");
        }
        return Objects.requireNonNull(verdict, "verdict") == Verdict.HANDLED;
    }

    private VfioException fault(Binding binding, Throwable bug) {
        return binding == null ? device.functionFault(bug) : device.mediation().fault(binding, bug);
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
        gate.remove(slot);
    }

    @Override
    public void close() {
        if (!closed) {
            handle.remove(this);
        }
    }
}
