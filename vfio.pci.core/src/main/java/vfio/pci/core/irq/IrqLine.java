// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.irq;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.IrqTrigger;

/// One interrupt index: its vectors and who takes them. One client owns an index while it has any trigger there.
///
/// Triggers are signalled under the line's lock, which is what makes "no signal after close" true; a trigger must not block.
final class IrqLine {
    private final IrqInfo info;
    private final Object lock = new Object();
    private final IrqTrigger[] triggers;
    private Object owner;
    private boolean masked;
    private boolean level;

    IrqLine(IrqInfo info) {
        this.info = info;
        this.triggers = new IrqTrigger[info.count()];
        Arrays.fill(triggers, IrqTrigger.NONE);
    }

    IrqInfo info() {
        return info;
    }

    /// Replaces triggers from `start`; those replaced are closed.
    ///
    /// @return for each vector named whether it has somebody now
    boolean[] assign(Object client, int start, List<IrqTrigger> taken) throws VfioException {
        List<IrqTrigger> replaced = new ArrayList<>(taken.size());
        boolean[] enabled = new boolean[taken.size()];
        synchronized (lock) {
            try {
                checkLocked(client, start, taken.size());
            } catch (VfioException e) {
                taken.forEach(IrqTrigger::close);
                throw e;
            }
            owner = client;
            for (int i = 0; i < enabled.length; i++) {
                replaced.add(triggers[start + i]);
                triggers[start + i] = taken.get(i);
                enabled[i] = taken.get(i) != IrqTrigger.NONE;
            }
            if (level && automasked()) {
                deliverLevelLocked();
            }
        }
        replaced.forEach(IrqTrigger::close);
        return enabled;
    }

    /// Takes all triggers away and lets the index go.
    ///
    /// @return vectors that had somebody
    List<Integer> disable(Object client) throws VfioException {
        List<IrqTrigger> replaced = new ArrayList<>();
        List<Integer> vectors = new ArrayList<>();
        synchronized (lock) {
            if (owner != null && owner != client) {
                throw busy();
            }
            owner = null;
            masked = false;
            for (int i = 0; i < triggers.length; i++) {
                if (triggers[i] != IrqTrigger.NONE) {
                    vectors.add(i);
                    replaced.add(triggers[i]);
                    triggers[i] = IrqTrigger.NONE;
                }
            }
        }
        replaced.forEach(IrqTrigger::close);
        return vectors;
    }

    boolean ownedBy(Object client) {
        synchronized (lock) {
            return owner == client;
        }
    }

    /// Forces all triggers away, whoever owns them.
    List<Integer> disableWhoever() {
        try {
            Object whoever;
            synchronized (lock) {
                whoever = owner;
            }
            return disable(whoever);
        } catch (VfioException e) {
            return List.of();
        }
    }

    void mask(Object client, int start, int count) throws VfioException {
        synchronized (lock) {
            checkMaskableLocked(client, start, count);
            masked = count > 0 || masked;
        }
    }

    void unmask(Object client, int start, int count) throws VfioException {
        synchronized (lock) {
            checkMaskableLocked(client, start, count);
            if (count > 0) {
                masked = false;
                deliverLevelLocked();
            }
        }
    }

    /// @return vectors that somebody took
    int fire(Object client, int start, int count) throws VfioException {
        int taken = 0;
        synchronized (lock) {
            checkLocked(client, start, count);
            for (int i = start; i < start + count; i++) {
                taken += signalLocked(i) ? 1 : 0;
            }
        }
        return taken;
    }

    boolean raise(int vector) {
        synchronized (lock) {
            return vector >= 0 && vector < triggers.length && signalLocked(vector);
        }
    }

    /// The pin's level.
    ///
    /// @return whether somebody was told
    boolean level(boolean asserted) {
        synchronized (lock) {
            level = asserted;
            return asserted && deliverLevelLocked();
        }
    }

    /// Low, and not masked.
    void reset() {
        synchronized (lock) {
            level = false;
            masked = false;
        }
    }

    private boolean deliverLevelLocked() {
        if (!level || masked || triggers.length == 0 || triggers[0] == IrqTrigger.NONE) {
            return false;
        }
        masked = true;
        triggers[0].signal();
        return true;
    }

    private boolean signalLocked(int vector) {
        IrqTrigger trigger = triggers[vector];
        if (trigger == IrqTrigger.NONE) {
            return false;
        }
        trigger.signal();
        return true;
    }

    private boolean automasked() {
        return info.flags().contains(IrqInfo.Flag.AUTOMASKED);
    }

    private void checkMaskableLocked(Object client, int start, int count) throws VfioException {
        if (!info.flags().contains(IrqInfo.Flag.MASKABLE)) {
            throw new VfioException(Errno.EINVAL, "irq=%d expected=one that can be masked".formatted(info.index()));
        }
        checkLocked(client, start, count);
    }

    private void checkLocked(Object client, int start, int count) throws VfioException {
        if (start < 0 || count < 0 || start > triggers.length - count) {
            throw new VfioException(Errno.EINVAL,
                "irq=%d start=%d count=%d expected=within %d vectors".formatted(info.index(), start, count, triggers.length));
        }
        if (owner != null && owner != client) {
            throw busy();
        }
    }

    private VfioException busy() {
        return new VfioException(Errno.EBUSY, "irq=%d expected=an interrupt that no other client owns".formatted(info.index()));
    }
}
