// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.binding;

import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DeviceState;
import vfio.pci.api.mediation.MapVerdict;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.core.gate.Calls;
import vfio.pci.core.gate.Guarded;

/// The mediation of one open device, as the core holds it: entered for accesses by the gate, for all else by its calls. Everything a
/// vendor's
/// class is reached through ends here.
public final class Binding extends Guarded {
    private final Mediator mediator;
    private final Mediation mediation;
    private final Calls calls = new Calls();
    private final AtomicInteger faults = new AtomicInteger();
    private volatile boolean abandoned;

    /// A mediation that a mediator answered with.
    public Binding(Mediator mediator, Mediation mediation) {
        this.mediator = mediator;
        this.mediation = mediation;
    }

    /// Whose it is.
    public Mediator mediator() {
        return mediator;
    }

    /// The mediation, for a thread that is inside the gate.
    public Mediation mediation() {
        return mediation;
    }

    /// Who calls it outside the gate.
    public Calls calls() {
        return calls;
    }

    /// Which default regions it wants; asked while it is being bound.
    public Set<Capability> capabilities() {
        return Set.copyOf(mediation.capabilities());
    }

    /// What it wants to see at first; asked while it is being bound.
    public List<Claim> claims() {
        return List.copyOf(mediation.claims());
    }

    /// Given up with threads inside: whatever they bring is not used.
    public void abandon() {
        abandoned = true;
    }

    /// Whether it was given up.
    public boolean isAbandoned() {
        return abandoned;
    }

    /// Counts a bug of the vendor's.
    ///
    /// @return how many there were
    public int fault() {
        return faults.incrementAndGet();
    }

    /// Has it change a region's description.
    ///
    /// @return the defaults when it has gone
    public RegionInfo regionInfo(RegionInfo defaults) {
        if (!calls.enter()) {
            return defaults;
        }
        try {
            RegionInfo changed = mediation.regionInfo(defaults);
            return abandoned ? defaults : changed;
        } finally {
            calls.leave();
        }
    }

    /// Asks it about a map.
    ///
    /// @return pass-through when it has gone
    public MapVerdict map(int region, long offset, long length) throws VfioException {
        if (!calls.enter()) {
            return MapVerdict.PASS_THROUGH;
        }
        try {
            MapVerdict verdict = mediation.map(region, offset, length);
            return abandoned ? MapVerdict.PASS_THROUGH : verdict;
        } finally {
            calls.leave();
        }
    }

    /// Has it change the migration state.
    ///
    /// @throws VfioException ENODEV when it has gone; else what it answers
    public void deviceState(DeviceState from, DeviceState to) throws VfioException {
        if (!calls.enter()) {
            throw gone();
        }
        try {
            mediation.deviceState(from, to);
            if (abandoned) {
                throw gone();
            }
        } finally {
            calls.leave();
        }
    }

    /// Tells it of a reset.
    ///
    /// @throws VfioException what it answers
    public void reset() throws VfioException {
        if (calls.enter()) {
            try {
                mediation.reset();
            } finally {
                calls.leave();
            }
        }
    }

    private static VfioException gone() {
        return new VfioException(Errno.ENODEV, "mediation=gone expected=a mediator that is still there");
    }
}
