// SPDX-License-Identifier: Apache-2.0
package vfio.user.command;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import linux.sys.EventFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqInfo;
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
/// | EVENTFD, a descriptor a vector | they take the vectors from now on | each time one is signalled it is done to its vector |
/// | EVENTFD without descriptors | nobody takes the vectors; the index is enabled | no longer; of count 0, for no vector |
///
/// Events to mask and unmask go with the index when it is disabled, as in Linux (`vfio_intx_disable`). Linux refuses a second one for a
/// vector (`vfio_virqfd_enable`), for it notices when the first is closed; over a socket nobody does, and so the second takes its place.
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
            setEvents(exchange, action, index, start, count);
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
        exchange.clearMaskEvents(index);
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

    private static void setEvents(Exchange exchange, long action, int index, int start, int count) throws VfioException {
        if (action != IrqSetLayout.ACTION_TRIGGER) {
            setMaskEvents(exchange, action == IrqSetLayout.ACTION_MASK ? MaskAction.MASK : MaskAction.UNMASK, index, start, count);
            return;
        }
        if (count == 0 || exchange.fds() != 0 && exchange.fds() != count) {
            throw Exchange.invalid("fds", exchange.fds(), "none, or one for each of 0x%x vectors".formatted(count));
        }
        List<IrqTrigger> triggers = exchange.fds() == 0 ? Collections.nCopies(count, IrqTrigger.NONE)
            : takeEvents(exchange).stream().<IrqTrigger>map(EventFdTrigger::new).toList();
        exchange.device().setIrqTriggers(index, start, triggers);
    }

    private static void setMaskEvents(Exchange exchange, MaskAction action, int index, int start, int count) throws VfioException {
        if (!exchange.device().irqInfo(index).flags().contains(IrqInfo.Flag.MASKABLE)) {
            throw Exchange.invalid("index", index, "an interrupt that can be masked");
        }
        if (exchange.fds() != 0 && exchange.fds() != count) {
            throw Exchange.invalid("fds", exchange.fds(), "none, or one for each of 0x%x vectors".formatted(count));
        }
        if (count == 0 && start != 0) {
            throw Exchange.invalid("start", start, "0, of no vectors");
        }
        if (exchange.fds() != 0) {
            exchange.setMaskEvents(action, index, start, takeEvents(exchange));
        } else {
            exchange.clearMaskEvents(action, index, start, count == 0 ? Integer.MAX_VALUE : count);
        }
    }

    private static List<EventFd> takeEvents(Exchange exchange) throws VfioException {
        List<EventFd> events = new ArrayList<>(exchange.fds());
        try {
            while (exchange.fds() > 0) {
                events.add(EventFd.over(exchange.takeFd()));
            }
            return events;
        } catch (VfioException e) {
            events.forEach(EventFd::close);
            throw e;
        }
    }
}
