// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.irq;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.core.binding.Faults;

/// One interrupt index: its vectors and who takes them. One client owns an index while it has any trigger there.
///
/// Triggers are signalled under the line's lock, which is what makes "no signal after close" true; a trigger must not block. One that does
/// even so, such as an eventfd that its client fills on purpose, is closed by whoever has waited for it long enough, which sets an
/// eventfd free.
final class IrqLine {
    private static final System.Logger LOG = System.getLogger(IrqLine.class.getName());
    private static final long LONGEST_SIGNAL_MILLIS = 100;

    private final IrqInfo info;
    private final ReentrantLock lock = new ReentrantLock();
    private final IrqTrigger[] triggers;
    private final BooleanSupplier disabled;
    private Object owner;
    private boolean masked;
    private boolean level;
    /// Being signalled now; set with the lock held.
    private volatile IrqTrigger signalled = IrqTrigger.NONE;
    /// Closed by who waited for them, and not to be closed again; guarded by itself.
    private final Set<IrqTrigger> closedAlready = Collections.newSetFromMap(new IdentityHashMap<>());

    /// @param disabled whether nothing is signalled now, whatever the mask
    IrqLine(IrqInfo info, BooleanSupplier disabled) {
        this.info = info;
        this.disabled = disabled;
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
        lock();
        try {
            checkLocked(client, start, taken.size());
            for (int i = 0; i < enabled.length; i++) {
                replaced.add(triggers[start + i]);
                triggers[start + i] = taken.get(i);
                enabled[i] = taken.get(i) != IrqTrigger.NONE;
            }
            boolean any = Arrays.stream(triggers).anyMatch(trigger -> trigger != IrqTrigger.NONE);
            owner = any ? client : null;
            masked &= any;
            if (level && automasked()) {
                deliverLevelLocked();
            }
        } catch (VfioException e) {
            replaced.addAll(taken);
            throw e;
        } finally {
            lock.unlock();
            replaced.forEach(this::close);
        }
        return enabled;
    }

    /// Takes all triggers away and lets the index go.
    ///
    /// @return vectors that had somebody
    List<Integer> disable(Object client) throws VfioException {
        List<IrqTrigger> replaced = new ArrayList<>();
        List<Integer> vectors = new ArrayList<>();
        lock();
        try {
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
        } finally {
            lock.unlock();
        }
        replaced.forEach(this::close);
        return vectors;
    }

    boolean takes(Object client, int vector) {
        lock();
        try {
            return owner == client && vector >= 0 && vector < triggers.length && triggers[vector] != IrqTrigger.NONE;
        } finally {
            lock.unlock();
        }
    }

    boolean ownedBy(Object client) {
        lock();
        try {
            return owner == client;
        } finally {
            lock.unlock();
        }
    }

    /// Forces all triggers away, whoever owns them.
    List<Integer> disableWhoever() {
        try {
            Object whoever;
            lock();
            try {
                whoever = owner;
            } finally {
                lock.unlock();
            }
            return disable(whoever);
        } catch (VfioException e) {
            return List.of();
        }
    }

    void mask(Object client, int start, int count) throws VfioException {
        lock();
        try {
            checkMaskableLocked(client, start, count);
            masked = count > 0 || masked;
        } finally {
            lock.unlock();
        }
    }

    void unmask(Object client, int start, int count) throws VfioException {
        lock();
        try {
            checkMaskableLocked(client, start, count);
            if (count > 0) {
                masked = false;
                deliverLevelLocked();
            }
        } finally {
            lock.unlock();
        }
    }

    /// @return vectors that somebody took
    int fire(Object client, int start, int count) throws VfioException {
        int taken = 0;
        lock();
        try {
            checkLocked(client, start, count);
            for (int i = start; i < start + count; i++) {
                taken += signalLocked(i) ? 1 : 0;
            }
        } finally {
            lock.unlock();
        }
        return taken;
    }

    boolean raise(int vector) {
        lock();
        try {
            return vector >= 0 && vector < triggers.length && signalLocked(vector);
        } finally {
            lock.unlock();
        }
    }

    /// The pin's level.
    ///
    /// @return whether somebody was told
    boolean level(boolean asserted) {
        lock();
        try {
            level = asserted;
            return asserted && deliverLevelLocked();
        } finally {
            lock.unlock();
        }
    }

    /// Looks whether the pin's level is to be told now.
    ///
    /// @return whether somebody was told
    boolean levelAgain() {
        lock();
        try {
            return deliverLevelLocked();
        } finally {
            lock.unlock();
        }
    }

    /// Low, and not masked.
    void reset() {
        lock();
        try {
            level = false;
            masked = false;
        } finally {
            lock.unlock();
        }
    }

    private boolean deliverLevelLocked() {
        if (!level || masked || disabled.getAsBoolean() || triggers.length == 0 || triggers[0] == IrqTrigger.NONE) {
            return false;
        }
        masked = true;
        callLocked(triggers[0]);
        return true;
    }

    private boolean signalLocked(int vector) {
        IrqTrigger trigger = triggers[vector];
        if (trigger == IrqTrigger.NONE || disabled.getAsBoolean()) {
            return false;
        }
        callLocked(trigger);
        return true;
    }

    private void callLocked(IrqTrigger trigger) {
        signalled = trigger;
        try {
            trigger.signal();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            LOG.log(System.Logger.Level.ERROR, "irq={0}: a client''s trigger failed: {1}", info.index(), Faults.describe(e));
        } finally {
            signalled = IrqTrigger.NONE;
        }
    }

    /// Locks. An interrupt is kept for later.
    private void lock() {
        if (lock.tryLock()) {
            return;
        }
        boolean interrupted = false;
        while (true) {
            try {
                if (lock.tryLock(LONGEST_SIGNAL_MILLIS, TimeUnit.MILLISECONDS)) {
                    break;
                }
                closeStuck();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeStuck() {
        IrqTrigger stuck = signalled;
        if (stuck != IrqTrigger.NONE) {
            synchronized (closedAlready) {
                if (!closedAlready.add(stuck)) {
                    return;
                }
            }
            LOG.log(System.Logger.Level.WARNING, "irq={0}: a client''s trigger blocks and is given up", info.index());
            call(stuck);
        }
    }

    private void close(IrqTrigger trigger) {
        synchronized (closedAlready) {
            if (closedAlready.remove(trigger)) {
                return;
            }
        }
        call(trigger);
    }

    private void call(IrqTrigger trigger) {
        try {
            trigger.close();
        } catch (RuntimeException | LinkageError | AssertionError | VirtualMachineError e) {
            LOG.log(System.Logger.Level.ERROR, "irq={0}: a client''s trigger failed: {1}", info.index(), Faults.describe(e));
        }
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
