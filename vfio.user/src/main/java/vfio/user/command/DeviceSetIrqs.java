// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import linux.sys.EventFd;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.VfioDevice;
import vfio.user.wire.IrqSetLayout;
import vfio.user.wire.IrqSetLayout.IrqSet;

/// DEVICE_SET_IRQS.
///
/// | data | TRIGGER | MASK, UNMASK |
/// |---|---|---|
/// | NONE, count 0 | disables the whole index | EINVAL |
/// | NONE | fires the vectors | does it to the vectors |
/// | BOOL | fires those with a byte that is not 0 | does it to those |
/// | EVENTFD, a descriptor a vector | they take the vectors from now on | ENOTTY |
/// | EVENTFD without descriptors | nobody takes the vectors; the index is enabled | ENOTTY |
final class DeviceSetIrqs implements Handler {
    /// What is done to a run of vectors.
    private interface Action {
        void apply(VfioDevice device, int index, int start, int count) throws VfioException;
    }

    @Override
    public void handle(Exchange exchange) throws VfioException {
        exchange.requireAtLeast(IrqSetLayout.BYTES);
        IrqSet set = IrqSetLayout.decode(exchange.request(), exchange.payload());
        Exchange.requireArgsz(set.argsz(), IrqSetLayout.BYTES);
        long data = set.flags() & IrqSetLayout.DATA_TYPE_MASK;
        long action = set.flags() & IrqSetLayout.ACTION_TYPE_MASK;
        if (Long.bitCount(data) != 1 || Long.bitCount(action) != 1 || set.flags() != (data | action)) {
            throw Exchange.invalid("flags", set.flags(), "one kind of data and one action");
        }
        int index = Exchange.index("index", set.index());
        int vectors = exchange.device().irqInfo(index).count();
        if (set.start() > vectors || set.count() > vectors - set.start()) {
            throw Exchange.invalid("count", set.count(), "vectors that exist, 0x%x from 0x%x".formatted(vectors, set.start()));
        }
        int start = (int) set.start();
        int count = (int) set.count();
        exchange.requireSize(IrqSetLayout.BYTES + (data == IrqSetLayout.DATA_BOOL ? count : 0));
        if (data == IrqSetLayout.DATA_EVENTFD) {
            setTriggers(exchange, action, index, start, count);
            return;
        }
        exchange.requireNoFds();
        if (count == 0) {
            disable(exchange, set, index);
        } else if (data == IrqSetLayout.DATA_NONE) {
            actionOf(action).apply(exchange.device(), index, start, count);
        } else {
            applyToMarked(exchange, actionOf(action), index, start, count);
        }
    }

    private static void disable(Exchange exchange, IrqSet set, int index) throws VfioException {
        if (set.flags() != (IrqSetLayout.DATA_NONE | IrqSetLayout.ACTION_TRIGGER) || set.start() != 0) {
            throw Exchange.invalid("count", 0, "some, or start 0 with NONE and TRIGGER");
        }
        exchange.device().disableIrq(index);
    }

    private static Action actionOf(long action) {
        if (action == IrqSetLayout.ACTION_MASK) {
            return VfioDevice::maskIrq;
        }
        return action == IrqSetLayout.ACTION_UNMASK ? VfioDevice::unmaskIrq : VfioDevice::fireIrq;
    }

    private static void applyToMarked(Exchange exchange, Action action, int index, int start, int count) throws VfioException {
        MemorySegment request = exchange.request();
        long marks = exchange.payload() + IrqSetLayout.BYTES;
        int run = 0;
        for (int i = 0; i <= count; i++) {
            if (i < count && request.get(ValueLayout.JAVA_BYTE, marks + i) != 0) {
                run++;
            } else if (run > 0) {
                action.apply(exchange.device(), index, start + i - run, run);
                run = 0;
            }
        }
    }

    private static void setTriggers(Exchange exchange, long action, int index, int start, int count) throws VfioException {
        if (action != IrqSetLayout.ACTION_TRIGGER) {
            throw new VfioException(Errno.ENOTTY, "flags=0x%x an eventfd can only be triggered".formatted(
                IrqSetLayout.DATA_EVENTFD | action));
        }
        if (count == 0 || exchange.fds() != 0 && exchange.fds() != count) {
            throw Exchange.invalid("fds", exchange.fds(), "none, or one for each of 0x%x vectors".formatted(count));
        }
        List<IrqTrigger> triggers = exchange.fds() == 0 ? Collections.nCopies(count, IrqTrigger.NONE) : takeTriggers(exchange);
        exchange.device().setIrqTriggers(index, start, triggers);
    }

    private static List<IrqTrigger> takeTriggers(Exchange exchange) throws VfioException {
        List<IrqTrigger> triggers = new ArrayList<>(exchange.fds());
        try {
            while (exchange.fds() > 0) {
                triggers.add(new EventFdTrigger(EventFd.over(exchange.takeFd())));
            }
            return triggers;
        } catch (VfioException e) {
            triggers.forEach(IrqTrigger::close);
            throw e;
        }
    }
}
