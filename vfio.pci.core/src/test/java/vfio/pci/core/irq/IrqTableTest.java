// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.irq;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqInfo;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.InterruptVectors;

@Timeout(60)
class IrqTableTest {
    private static final Object CLIENT = "client";
    private static final Object OTHER = "other client";

    private final List<String> told = new ArrayList<>();
    private final AtomicBoolean intxDisabled = new AtomicBoolean();
    private final IrqTable table = new IrqTable(new InterruptVectors(1, 4, 5),
        (kind, vector, enabled) -> told.add(kind + " " + vector + " " + enabled), intxDisabled::get);

    /// Counts what is done to it.
    private static final class Counted implements IrqTrigger {
        private int signals;
        private int closes;

        @Override
        public void signal() {
            assertThat(closes).as("no signal after the close").isZero();
            signals++;
        }

        @Override
        public void close() {
            closes++;
        }
    }

    private Counted assigned(int index, int vector) throws VfioException {
        Counted trigger = new Counted();
        table.assign(CLIENT, index, vector, List.of(trigger));
        return trigger;
    }

    private void assertRefusedAndClosed(Errno errno, Object client, int index, int start, int count) {
        List<Counted> triggers = Stream.generate(Counted::new).limit(count).toList();
        assertErrno(errno, () -> table.assign(client, index, start, List.copyOf(triggers)));
        assertThat(triggers).allMatch(trigger -> trigger.closes == 1 && trigger.signals == 0);
    }

    @Test
    void refusesIndicesAndRangesThatDoNotExist() {
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, -1, 0, 1);
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, 5, 0, 1);
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, IrqIndex.INTX, 1, 1);
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, IrqIndex.INTX, 0, 2);
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, IrqIndex.MSIX, 3, 3);
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, IrqIndex.MSIX, -1, 1);
        assertRefusedAndClosed(Errno.EINVAL, CLIENT, IrqIndex.MSIX, Integer.MAX_VALUE, 2);
        assertErrno(Errno.EINVAL, () -> table.info(5));
        assertErrno(Errno.EINVAL, () -> table.fire(CLIENT, IrqIndex.MSIX, 0, 6));
        assertErrno(Errno.EINVAL, () -> table.fire(CLIENT, IrqIndex.MSIX, 2, Integer.MAX_VALUE));
        assertErrno(Errno.EINVAL, () -> table.disable(CLIENT, 77));
        assertThat(told).isEmpty();
    }

    @Test
    void refusesToMaskWhatCannotBeMasked() {
        assertErrno(Errno.EINVAL, () -> table.mask(CLIENT, IrqIndex.MSIX, 0, 1));
        assertErrno(Errno.EINVAL, () -> table.unmask(CLIENT, IrqIndex.MSI, 0, 1));
        assertErrno(Errno.EINVAL, () -> table.mask(CLIENT, IrqIndex.ERR, 0, 1));
        assertErrno(Errno.EINVAL, () -> table.mask(CLIENT, IrqIndex.INTX, 0, 2));
    }

    @Test
    void refusesAnIndexThatAnotherClientOwns() throws VfioException {
        Counted first = assigned(IrqIndex.MSIX, 0);
        assertRefusedAndClosed(Errno.EBUSY, OTHER, IrqIndex.MSIX, 1, 2);
        assertErrno(Errno.EBUSY, () -> table.disable(OTHER, IrqIndex.MSIX));
        assertErrno(Errno.EBUSY, () -> table.fire(OTHER, IrqIndex.MSIX, 0, 1));
        assertThat(first.closes).isZero();
        table.assign(OTHER, IrqIndex.MSI, 0, List.of(new Counted()));
        table.disableAllOf(OTHER);
        assertThat(first.closes).isZero();
        table.disable(CLIENT, IrqIndex.MSIX);
        table.assign(OTHER, IrqIndex.MSIX, 1, List.of(new Counted()));
        assertThat(first.closes).isEqualTo(1);
    }

    @Test
    void letsAnIndexGoWithItsLastTrigger() throws VfioException {
        Counted trigger = assigned(IrqIndex.MSIX, 0);
        table.assign(CLIENT, IrqIndex.MSIX, 0, List.of(IrqTrigger.NONE));
        assertThat(trigger.closes).isEqualTo(1);
        table.assign(OTHER, IrqIndex.MSIX, 0, List.of(new Counted()));
        assertRefusedAndClosed(Errno.EBUSY, CLIENT, IrqIndex.MSIX, 0, 1);
    }

    @Test
    void doesNotOwnAnIndexByNamingNoVector() throws VfioException {
        table.assign(CLIENT, IrqIndex.MSIX, 0, List.of());
        table.assign(OTHER, IrqIndex.MSIX, 0, List.of(new Counted()));
    }

    @Test
    void raisesToWhoIsThere() throws VfioException {
        Counted trigger = assigned(IrqIndex.MSIX, 2);
        assertThat(table.raise(InterruptKind.MSIX, 2)).isTrue();
        assertThat(table.raise(InterruptKind.MSIX, 1)).isFalse();
        assertThat(table.raise(InterruptKind.MSIX, 5)).isFalse();
        assertThat(table.raise(InterruptKind.MSIX, -1)).isFalse();
        assertThat(table.raise(InterruptKind.MSI, 2)).isFalse();
        table.fire(CLIENT, IrqIndex.MSIX, 0, 5);
        assertThat(trigger.signals).isEqualTo(2);
        assertThat(table.taken()).isEqualTo(2);
    }

    @Test
    void closesEachTriggerOnceHoweverItGoes() throws VfioException {
        Counted replaced = assigned(IrqIndex.MSIX, 0);
        Counted disabled = assigned(IrqIndex.MSIX, 0);
        assertThat(replaced.closes).isEqualTo(1);
        table.disable(CLIENT, IrqIndex.MSIX);
        table.disable(CLIENT, IrqIndex.MSIX);
        Counted left = assigned(IrqIndex.MSIX, 1);
        table.disableAllOf(CLIENT);
        table.disableAllOf(CLIENT);
        Counted last = assigned(IrqIndex.ERR, 0);
        table.close();
        table.close();
        assertThat(List.of(replaced, disabled, left, last)).allMatch(trigger -> trigger.closes == 1);
        assertThat(table.raise(InterruptKind.MSIX, 0)).isFalse();
    }

    @Test
    void tellsTheFunctionWhoListens() throws VfioException {
        table.assign(CLIENT, IrqIndex.MSIX, 1, List.of(new Counted(), IrqTrigger.NONE, new Counted()));
        assertThat(told).containsExactly("MSIX 1 true", "MSIX 2 false", "MSIX 3 true");
        told.clear();
        table.disable(CLIENT, IrqIndex.MSIX);
        assertThat(told).containsExactly("MSIX 1 false", "MSIX 3 false");
        told.clear();
        assigned(IrqIndex.INTX, 0);
        assigned(IrqIndex.MSI, 3);
        assigned(IrqIndex.ERR, 0);
        assigned(IrqIndex.REQ, 0);
        table.disableAllOf(CLIENT);
        assertThat(told).containsExactly("INTX 0 true", "MSI 3 true", "INTX 0 false", "MSI 3 false");
    }

    @Test
    void masksIntxWhenItSignalsIt() throws VfioException {
        Counted trigger = assigned(IrqIndex.INTX, 0);
        table.intx(true);
        table.intx(true);
        assertThat(trigger.signals).as("masked until the client unmasks").isEqualTo(1);
        table.unmask(CLIENT, IrqIndex.INTX, 0, 1);
        assertThat(trigger.signals).as("still high").isEqualTo(2);
        table.intx(false);
        table.unmask(CLIENT, IrqIndex.INTX, 0, 1);
        assertThat(trigger.signals).isEqualTo(2);
        table.intx(true);
        assertThat(trigger.signals).isEqualTo(3);
        assertThat(table.taken()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void keepsAMaskedIntxPending() throws VfioException {
        Counted trigger = assigned(IrqIndex.INTX, 0);
        table.mask(CLIENT, IrqIndex.INTX, 0, 1);
        table.intx(true);
        assertThat(trigger.signals).isZero();
        table.unmask(CLIENT, IrqIndex.INTX, 0, 1);
        assertThat(trigger.signals).isEqualTo(1);
    }

    @Test
    void forgetsAPulseThatCameWhileMasked() throws VfioException {
        Counted trigger = assigned(IrqIndex.INTX, 0);
        table.mask(CLIENT, IrqIndex.INTX, 0, 1);
        table.intx(true);
        table.intx(false);
        table.unmask(CLIENT, IrqIndex.INTX, 0, 1);
        assertThat(trigger.signals).isZero();
    }

    @Test
    void tellsALevelThatWasHighBeforeSomebodyCame() throws VfioException {
        table.intx(true);
        Counted first = assigned(IrqIndex.INTX, 0);
        assertThat(first.signals).isEqualTo(1);
        table.assign(CLIENT, IrqIndex.INTX, 0, List.of(IrqTrigger.NONE));
        Counted second = new Counted();
        table.assign(OTHER, IrqIndex.INTX, 0, List.of(second));
        assertThat(second.signals).as("another's mask is not its own").isEqualTo(1);
    }

    @Test
    void keepsIntxPendingWhileItIsDisabled() throws VfioException {
        Counted trigger = assigned(IrqIndex.INTX, 0);
        Counted message = assigned(IrqIndex.MSIX, 0);
        intxDisabled.set(true);
        table.intx(true);
        table.fire(CLIENT, IrqIndex.INTX, 0, 1);
        table.unmask(CLIENT, IrqIndex.INTX, 0, 1);
        table.intxEnabledAgain();
        assertThat(trigger.signals).isZero();
        table.raise(InterruptKind.MSIX, 0);
        assertThat(message.signals).as("messages are not concerned").isEqualTo(1);
        intxDisabled.set(false);
        table.intxEnabledAgain();
        table.intxEnabledAgain();
        assertThat(trigger.signals).isEqualTo(1);
        assertThat(table.taken()).isEqualTo(2);
    }

    @Test
    void isLowAndUnmaskedAfterAResetWithItsTriggers() throws VfioException {
        Counted trigger = assigned(IrqIndex.INTX, 0);
        table.intx(true);
        table.reset();
        table.unmask(CLIENT, IrqIndex.INTX, 0, 1);
        assertThat(trigger.signals).isEqualTo(1);
        table.intx(true);
        assertThat(trigger.signals).isEqualTo(2);
        assertThat(trigger.closes).isZero();
    }

    @Test
    void describesWhatThereIs() throws VfioException {
        assertThat(table.info(IrqIndex.INTX).flags()).containsExactlyInAnyOrder(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.MASKABLE,
            IrqInfo.Flag.AUTOMASKED);
        assertThat(table.info(IrqIndex.MSIX).count()).isEqualTo(5);
        assertThat(table.info(IrqIndex.MSIX).flags()).containsExactlyInAnyOrder(IrqInfo.Flag.EVENTFD, IrqInfo.Flag.NORESIZE);
        IrqTable bare = new IrqTable(new InterruptVectors(0, 0, 0), (kind, vector, enabled) -> { }, () -> false);
        assertThat(bare.count()).isEqualTo(5);
        assertThat(bare.info(IrqIndex.INTX).count()).isZero();
        assertThat(bare.present()).extracting(IrqInfo::index).containsExactly(IrqIndex.ERR, IrqIndex.REQ);
        bare.intx(true);
    }

    @Test
    void keepsTheIndexOfASpecialInterrupt() throws VfioException {
        IrqInfo.Type type = new IrqInfo.Type(9, 1);
        assertThat(table.special(type)).isEmpty();
        int first = table.special(2, type);
        int second = table.special(1, IrqInfo.Type.DYNAMIC_TRAP_BAR_INFO);
        assertThat(first).isEqualTo(IrqIndex.FIRST_SPECIFIC);
        assertThat(second).isEqualTo(IrqIndex.FIRST_SPECIFIC + 1);
        assertThat(table.special(2, type)).as("a successor's").isEqualTo(first);
        assertThat(table.special(type)).hasValue(first);
        assertThat(table.special(3, type)).as("of another size").isEqualTo(IrqIndex.FIRST_SPECIFIC + 2);
        assertThat(table.count()).isEqualTo(8);
    }

    @Test
    void isNotStoppedByABugOfATrigger() throws VfioException {
        IrqTrigger faulty = new IrqTrigger() {
            @Override
            public void signal() {
                throw new IllegalStateException("bug");
            }

            @Override
            public void close() {
                throw new IllegalStateException("bug");
            }
        };
        Counted good = new Counted();
        table.assign(CLIENT, IrqIndex.MSIX, 0, List.of(faulty, good));
        table.raise(InterruptKind.MSIX, 0);
        table.fire(CLIENT, IrqIndex.MSIX, 0, 2);
        assertThat(good.signals).isEqualTo(1);
        table.disableAllOf(CLIENT);
        assertThat(good.closes).isEqualTo(1);
        table.assign(OTHER, IrqIndex.MSIX, 0, List.of(new Counted()));
    }

    /// Blocks in its signal until it is closed, as an eventfd does that its client filled.
    private static final class Blocking implements IrqTrigger {
        private final CountDownLatch inside = new CountDownLatch(1);
        private final CountDownLatch closed = new CountDownLatch(1);
        private volatile int closes;

        @Override
        public void signal() {
            inside.countDown();
            try {
                closed.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            closes++;
            closed.countDown();
        }
    }

    @Test
    void setsAThreadFreeThatATriggerBlocks() throws Exception {
        Blocking blocking = new Blocking();
        Counted good = new Counted();
        table.assign(CLIENT, IrqIndex.MSIX, 0, List.of(blocking, good));
        AtomicReference<Boolean> raised = new AtomicReference<>();
        Thread function = Thread.ofPlatform().start(() -> raised.set(table.raise(InterruptKind.MSIX, 0)));
        blocking.inside.await();
        table.disable(CLIENT, IrqIndex.MSIX);
        function.join();
        assertThat(raised.get()).isTrue();
        assertThat(blocking.closes).isEqualTo(1);
        assertThat(good.closes).isEqualTo(1);
        assertThat(told).containsExactly("MSIX 0 true", "MSIX 1 true", "MSIX 0 false", "MSIX 1 false");
    }
}
