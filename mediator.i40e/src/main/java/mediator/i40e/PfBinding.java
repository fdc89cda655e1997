// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.foreign.MemorySegment;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.OptionalInt;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;

/// A physical function in the hands of the driver.
final class PfBinding implements AutoCloseable {
    /// What the driver is called.
    static final String DRIVER = "i40e";

    /// How long the device may take for a command: it may have to wait for memory that a client serves.
    private static final long COMMAND_MILLIS = 2_000;

    private static final Logger LOG = System.getLogger(PfBinding.class.getName());

    private final PciAddress address;
    private final PfResources resources;
    private final BoundFunction bound;
    private final VfStateCommands states;

    private PfBinding(PciAddress address, PfResources resources, BoundFunction bound) {
        this.address = address;
        this.resources = resources;
        this.bound = bound;
        this.states = new VfStateCommands(new AdminQueue(bound, resources.dma(), COMMAND_MILLIS));
    }

    /// Binds a function.
    ///
    /// @throws VfioException EBUSY when another driver has it; ENODEV when it has gone
    static PfBinding bind(PciFunction function) throws VfioException {
        PfResources resources = new PfResources(function.bars());
        boolean done = false;
        try {
            PfBinding binding = new PfBinding(function.address(), resources, function.bind(DRIVER, resources));
            done = true;
            return binding;
        } finally {
            if (!done) {
                resources.close();
            }
        }
    }

    PciAddress address() {
        return address;
    }

    /// How the states of its virtual functions are moved.
    VfStateCommands states() {
        return states;
    }

    /// Reads a register into the first word of a buffer.
    ///
    /// @throws VfioException ENODEV when the function has gone
    void readRegister(long offset, MemorySegment buffer) throws VfioException {
        bound.readBar(AdminRegister.BAR, offset, buffer, 0, Integer.BYTES);
    }

    /// Whether the address is that of a virtual function of this one, by what its SR-IOV capability says now.
    boolean covers(PciAddress candidate) {
        return index(candidate).isPresent();
    }

    /// Which virtual function of this one has the address, from 0 on.
    OptionalInt index(PciAddress candidate) {
        if (candidate.domain() != address.domain()) {
            return OptionalInt.empty();
        }
        try {
            return SriovCapability.read(bound).map(sriov -> sriov.index(address.routingId(), candidate.routingId()))
                .orElse(OptionalInt.empty());
        } catch (VfioException e) {
            LOG.log(Level.DEBUG, "{0}: virtual functions unknown: {1}", address, e.getMessage());
            return OptionalInt.empty();
        }
    }

    /// Resets the function by itself; its virtual functions stay as they are.
    void reset() throws VfioException {
        bound.reset();
    }

    @Override
    public void close() {
        bound.close();
        resources.close();
    }
}
