// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import java.util.Optional;
import vfio.pci.api.PciAddress;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.core.binding.Claims;
import vfio.pci.core.binding.Context;
import vfio.pci.core.irq.IrqTable;
import vfio.pci.core.region.TrapInfoRegion;

/// Whether the disablable areas of a device trap now, and who is told. One mediation at a time has the switch.
final class Trapping {
    private static final System.Logger LOG = System.getLogger(Trapping.class.getName());

    private final PciAddress address;
    private final IrqTable irqs;
    private final Object lock = new Object();
    /// Guarded by the lock.
    private Context owner;
    /// Guarded by the lock.
    private Optional<TrapInfoRegion> region = Optional.empty();
    private volatile Claims disablable = Claims.NONE;
    private volatile Claims trapped = Claims.NONE;
    private volatile boolean on;

    Trapping(PciAddress address, IrqTable irqs) {
        this.address = address;
        this.irqs = irqs;
    }

    /// Areas that can be switched to trapped.
    Claims disablable() {
        return disablable;
    }

    /// Areas that are switched to trapped now.
    Claims trapped() {
        return trapped;
    }

    boolean isOn() {
        return on;
    }

    /// A mediation gets the switch, and may have a region that shows its state.
    void begin(Context newOwner, Optional<TrapInfoRegion> shownIn) {
        synchronized (lock) {
            owner = newOwner;
            region = shownIn;
        }
    }

    /// The areas are known, or have changed.
    void areas(Context asker, Claims areas) {
        synchronized (lock) {
            if (owner == asker) {
                disablable = areas;
                trapped = on ? areas : Claims.NONE;
            }
        }
    }

    /// Switches, then tells those who take part; nothing for one who does not have the switch any more.
    void set(Context asker, boolean trap) {
        Optional<TrapInfoRegion> shown;
        synchronized (lock) {
            if (owner != asker || on == trap) {
                return;
            }
            switchLocked(trap);
            shown = region;
        }
        tell(shown);
    }

    /// A mediation gives the switch up: nothing traps.
    void end(Context asker) {
        Optional<TrapInfoRegion> shown;
        boolean switched;
        synchronized (lock) {
            if (owner != asker) {
                return;
            }
            shown = region;
            switched = on;
            switchLocked(false);
            disablable = Claims.NONE;
            owner = null;
            region = Optional.empty();
        }
        if (switched) {
            tell(shown);
        }
    }

    private void switchLocked(boolean trap) {
        on = trap;
        trapped = trap ? disablable : Claims.NONE;
        region.ifPresent(state -> state.show(trap));
    }

    private void tell(Optional<TrapInfoRegion> shown) {
        LOG.log(System.Logger.Level.DEBUG, "{0}: trapping={1}", address, on);
        shown.ifPresent(TrapInfoRegion::tell);
        irqs.special(IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO).ifPresent(irq -> irqs.raise(irq, 0));
    }
}
