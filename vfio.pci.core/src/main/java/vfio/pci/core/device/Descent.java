// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.lang.foreign.MemorySegment;
import vfio.pci.api.VfioException;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.binding.Binding;
import vfio.pci.core.gate.GateSlot;

/// The way of accesses down the layers that claim them, the highest first, until one handles them: by a port where the highest is not the
/// only one, and from a mediation to what is below it. Each layer is entered by its own gate and left before the next is entered; one
/// whose mediation has gone meanwhile is passed by, and so is one that does not claim the access any more.
///
/// This is the device's border as well: bugs of a mediation end here.
final class Descent {
    private final OpenDevice device;
    private final Interests interests;
    private final boolean told;
    private final Traveller traveller;

    /// Who goes down.
    interface Traveller {
        /// Its way into a layer.
        Passage into(Layer layer);

        /// It has left the layer again.
        void leave(Passage passage);

        /// A mediation gets to see the access; the first one that does.
        void seen();
    }

    /// Whoever is below a mediation: counted already, or no client's.
    static final Traveller FROM_ABOVE = new Traveller() {
        @Override
        public Passage into(Layer layer) {
            return layer.passages().take();
        }

        @Override
        public void leave(Passage passage) {
            passage.giveBack();
        }

        @Override
        public void seen() {
        }
    };

    /// @param told whose interests are looked at
    Descent(OpenDevice device, boolean told, Traveller traveller) {
        this.device = device;
        this.interests = device.interests();
        this.told = told;
        this.traveller = traveller;
    }

    /// What became of an access.
    enum End {
        /// No mediation saw it.
        UNSEEN,
        /// All that saw it passed it through.
        PASSED,
        /// It is done.
        HANDLED
    }

    /// Lets mediations see a read.
    ///
    /// @param layers bits of those that claim it, as the interest says
    End read(Interest before, int layers, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        return goDown(false, before, layers, region, offset, buffer, bufferOffset, count);
    }

    /// Lets mediations see a write.
    ///
    /// @param layers bits of those that claim it, as the interest says
    End write(Interest before, int layers, int region, long offset, MemorySegment buffer, long bufferOffset, int count)
            throws VfioException {
        return goDown(true, before, layers, region, offset, buffer, bufferOffset, count);
    }

    private End goDown(boolean writes, Interest before, int layers, int region, long offset, MemorySegment buffer, long bufferOffset,
            int count) throws VfioException {
        End end = End.UNSEEN;
        for (int left = layers; left != 0 && end != End.HANDLED; left &= ~Integer.highestOneBit(left)) {
            Layer layer = before.layers().of(Integer.highestOneBit(left));
            Passage passage = traveller.into(layer);
            int depth = passage.slot().depth();
            Binding binding = null;
            try {
                binding = layer.gate().enter(passage.slot());
                if (wants(layer, binding, before, region, offset, count)) {
                    end = seen(end);
                    end = verdict(binding, writes ? binding.mediation().write(region, offset, buffer, bufferOffset, count)
                        : binding.mediation().read(region, offset, buffer, bufferOffset, count));
                }
            } catch (VfioException e) {
                throw AccessPort.answered(binding, e);
            } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
                throw fault(binding, e);
            } finally {
                leave(passage, binding, depth);
            }
        }
        return end;
    }

    /// Asked again inside if there are other claims than those that sent the access here, which may have been a predecessor's. A layer
    /// whose mediator has gone is passed by, but not where the whole device has.
    private boolean wants(Layer layer, Binding binding, Interest before, int region, long offset, int count) throws VfioException {
        Interest now = interests.of(told);
        if (binding != null && (now == before || (now.in(region, offset, count) & now.layers().bitOf(layer)) != 0)) {
            return true;
        }
        device.checkUsable();
        return false;
    }

    private End seen(End before) {
        if (before == End.UNSEEN) {
            traveller.seen();
        }
        return End.PASSED;
    }

    private static End verdict(Binding binding, Verdict verdict) throws VfioException {
        return AccessPort.handled(binding, verdict) ? End.HANDLED : End.PASSED;
    }

    private VfioException fault(Binding binding, Throwable bug) {
        return binding == null ? device.functionFault(bug) : device.mediation().fault(binding, bug);
    }

    private void leave(Passage passage, Binding binding, int depth) {
        GateSlot slot = passage.slot();
        passage.layer().gate().leave(slot, depth);
        if (binding != null && depth == 0) {
            binding.takeInterruptBack();
        }
        traveller.leave(passage);
    }
}
