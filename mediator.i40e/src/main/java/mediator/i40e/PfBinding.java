// SPDX-License-Identifier: Apache-2.0
package mediator.i40e;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.PciFunction;

/// A physical function in the hands of the driver.
final class PfBinding implements AutoCloseable {
    /// What the driver is called.
    static final String DRIVER = "i40e";

    private static final Logger LOG = System.getLogger(PfBinding.class.getName());

    private final PciAddress address;
    private final PfResources resources;
    private final BoundFunction bound;

    private PfBinding(PciAddress address, PfResources resources, BoundFunction bound) {
        this.address = address;
        this.resources = resources;
        this.bound = bound;
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

    /// Whether the address is that of a virtual function of this one, by what its SR-IOV capability says now.
    boolean covers(PciAddress candidate) {
        if (candidate.domain() != address.domain()) {
            return false;
        }
        try {
            return SriovCapability.read(bound).filter(sriov -> sriov.covers(address.routingId(), candidate.routingId())).isPresent();
        } catch (VfioException e) {
            LOG.log(Level.DEBUG, "{0}: virtual functions unknown: {1}", address, e.getMessage());
            return false;
        }
    }

    @Override
    public void close() {
        bound.close();
        resources.close();
    }
}
