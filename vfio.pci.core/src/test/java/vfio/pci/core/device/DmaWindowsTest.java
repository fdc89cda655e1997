// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import linux.sys.Memfd;
import linux.sys.Proc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.core.binding.Mediator;

/// What a mediation is asked and told about the memory that clients let the device reach.
@Timeout(60)
class DmaWindowsTest {
    private static final long SIZE = 0x4000;
    private static final DmaWindow FIRST = new DmaWindow(0x10_0000, SIZE, true, true);
    private static final DmaWindow SECOND = new DmaWindow(0x20_0000, SIZE, true, false);

    private final OneDevice one = new OneDevice();
    /// What mediations were asked and told, in order.
    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
    private final MemorySegment memory = Arena.ofAuto().allocate(SIZE);

    @AfterEach
    void end() {
        one.close();
    }

    /// Writes down what it is asked.
    private class Watching extends Mediation {
        void asked(DmaWindow window) throws VfioException {
        }

        @Override
        public final void dmaMap(DmaWindow window) throws VfioException {
            seen.add("map " + text(window));
            asked(window);
        }

        @Override
        public void dmaPresent(DmaWindow window) {
            seen.add("present " + text(window));
        }

        @Override
        public void dmaUnmap(DmaWindow window) {
            seen.add("unmap " + text(window));
        }

        @Override
        public boolean stateless() {
            return true;
        }

        @Override
        public void close() {
            seen.add("close");
        }
    }

    /// Refuses everything with this.
    private final class Refusing extends Watching {
        private final Errno errno;

        Refusing(Errno errno) {
            this.errno = errno;
        }

        @Override
        void asked(DmaWindow window) throws VfioException {
            throw new VfioException(errno, "iova=0x%x expected=no window".formatted(window.iova()));
        }
    }

    private static String text(DmaWindow window) {
        return "0x%x-0x%x %s%s".formatted(window.iova(), window.last(), window.readable() ? "r" : "", window.writable() ? "w" : "");
    }

    private void map(VfioDevice device, DmaWindow window) throws VfioException {
        device.dmaMap(new DmaMapping(window.iova(), window.size(), window.readable(), window.writable(), new DmaBacking.Segment(memory)));
    }

    @Test
    void asksBeforeAWindowIsMadeAndTellsWhenItWent() throws VfioException {
        one.accepting("watching", context -> new Watching());
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            map(device, SECOND);
            device.dmaUnmap(FIRST.iova(), SIZE);
            device.dmaUnmap(0, FIRST.iova());
            device.reset();
        }
        assertThat(seen).containsExactly("map 0x100000-0x103fff rw", "map 0x200000-0x203fff r", "unmap 0x100000-0x103fff rw",
            "unmap 0x200000-0x203fff r", "close");
    }

    @Test
    void tellsEachWindowOfARange() throws VfioException {
        one.accepting("watching", context -> new Watching());
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            map(device, SECOND);
            device.dmaUnmap(0, Long.MIN_VALUE);
            map(device, FIRST);
            device.dmaUnmapAll();
            assertThat(seen).endsWith("unmap 0x100000-0x103fff rw", "unmap 0x200000-0x203fff r", "map 0x100000-0x103fff rw",
                "unmap 0x100000-0x103fff rw");
        }
    }

    @Test
    void aRefusedWindowIsNotThereAndItsFileIsClosed() throws VfioException {
        one.accepting("refusing", context -> new Refusing(Errno.EPERM));
        try (VfioDevice device = one.open()) {
            map(device, FIRST, Errno.EPERM);
            int before = 0;
            int after = 1;
            // What other threads of the JVM have open for a moment is not there each time.
            for (int round = 0; round < 5 && after != before; round++) {
                before = Proc.openDescriptors();
                DmaMapping file = new DmaMapping(FIRST.iova(), SIZE, true, true,
                    new DmaBacking.File(Memfd.create("guest", SIZE, true), 0));
                assertErrno(Errno.EPERM, () -> device.dmaMap(file));
                after = Proc.openDescriptors();
            }
            assertThat(after).isEqualTo(before);
            assertErrno(Errno.EFAULT, () -> one.hardware.lent.dma().read(FIRST.iova(), memory, 0, 4));
            device.dmaUnmap(FIRST.iova(), SIZE);
            assertThat(seen).as("nothing went").doesNotContain("unmap 0x100000-0x103fff rw");
        }
    }

    private void map(VfioDevice device, DmaWindow window, Errno refused) {
        assertErrno(refused, () -> map(device, window));
    }

    @Test
    void doesNotAskAboutWhatCannotBe() throws VfioException {
        one.settings = new DeviceSettings(false, one.settings.drainTimeout(), 1, 4);
        one.accepting("watching", context -> new Watching());
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            map(device, FIRST, Errno.ENOSPC);
            assertErrno(Errno.EINVAL, () -> device.dmaMap(new DmaMapping(0, 2 * SIZE, true, true, new DmaBacking.Segment(memory))));
            assertThat(seen).containsExactly("map 0x100000-0x103fff rw");
        }
    }

    @Test
    void doesNotAskAboutAnOverlap() throws VfioException {
        one.accepting("watching", context -> new Watching());
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            map(device, FIRST, Errno.EEXIST);
            assertThat(seen).containsExactly("map 0x100000-0x103fff rw");
        }
    }

    @Test
    void aBugIsAnsweredEioAndUnboundWhenRepeated() throws VfioException {
        one.settings = new DeviceSettings(false, one.settings.drainTimeout(), 64, 2);
        one.accepting("faulty", context -> new Watching() {
            @Override
            void asked(DmaWindow window) {
                throw new IllegalStateException("a bug");
            }
        });
        try (VfioDevice device = one.open()) {
            map(device, FIRST, Errno.EIO);
            map(device, FIRST, Errno.EIO);
            OneDevice.await("it is unbound", () -> seen.contains("close"));
            map(device, FIRST);
        }
    }

    @Test
    void aBugWhenToldDoesNotKeepTheMemory() throws VfioException {
        one.accepting("faulty", context -> new Watching() {
            @Override
            public void dmaUnmap(DmaWindow window) {
                throw new IllegalStateException("a bug");
            }
        });
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            device.dmaUnmap(FIRST.iova(), SIZE);
            assertErrno(Errno.EFAULT, () -> one.hardware.lent.dma().read(FIRST.iova(), memory, 0, 4));
            map(device, FIRST);
        }
    }

    @Test
    void whoComesLaterIsToldWhatIsThere() throws VfioException {
        try (VfioDevice device = one.open()) {
            map(device, SECOND);
            map(device, FIRST);
            Mediator later = one.accepting("later", context -> new Refusing(Errno.EPERM));
            one.function.rebind(List.of(later));
            assertThat(seen).containsExactly("present 0x100000-0x103fff rw", "present 0x200000-0x203fff r");
            device.dmaUnmap(FIRST.iova(), SIZE);
            map(device, FIRST, Errno.EPERM);
            assertThat(seen).endsWith("unmap 0x100000-0x103fff rw", "map 0x100000-0x103fff rw");
        }
    }

    @Test
    void whoTakesOverIsToldAndThePredecessorOnlyCloses() throws VfioException {
        Mediator from = one.accepting("from", context -> new Watching());
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            Mediator to = one.accepting("to", context -> new Watching());
            assertThat(MediatorSwap.eachAlone(List.of(one.function), from, to).getFirst().failure()).isEmpty();
            assertThat(seen).containsExactly("map 0x100000-0x103fff rw", "present 0x100000-0x103fff rw", "close");
        }
    }

    @Test
    void whoFailsWhenToldDoesNotTakeOver() throws VfioException {
        one.accepting("from", context -> new Watching());
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            Mediator to = one.accepting("to", context -> new Watching() {
                @Override
                public void dmaPresent(DmaWindow window) {
                    throw new IllegalStateException("a bug");
                }
            });
            assertErrno(Errno.EPERM, () -> one.function.rebind(List.of(to)));
            device.dmaUnmap(FIRST.iova(), SIZE);
            assertThat(seen).as("the one before goes on").endsWith("unmap 0x100000-0x103fff rw");
        }
    }

    @Test
    void nobodyIsAskedWhenTheMediatorHasGone() throws VfioException {
        Mediator mediator = one.accepting("refusing", context -> new Refusing(Errno.EPERM));
        try (VfioDevice device = one.open()) {
            map(device, FIRST, Errno.EPERM);
            one.goes(mediator);
            map(device, FIRST);
            assertThat(seen).containsExactly("map 0x100000-0x103fff rw", "close");
        }
    }

    @Test
    void aResetWaitsForAQuestion() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        one.accepting("slow", context -> new Watching() {
            @Override
            void asked(DmaWindow window) {
                asked.countDown();
                awaitQuietly(answer);
                seen.add("answered");
            }

            @Override
            public void reset() {
                seen.add("reset");
            }
        });
        try (VfioDevice device = one.open()) {
            Thread mapping = Thread.ofPlatform().start(() -> mapOrFail(device));
            asked.await();
            Thread resetting = Thread.ofPlatform().start(() -> resetOrFail(device));
            OneDevice.await("the reset waits", () -> resetting.getState() == Thread.State.WAITING);
            answer.countDown();
            mapping.join();
            resetting.join();
            assertThat(seen).containsExactly("map 0x100000-0x103fff rw", "answered", "reset");
        }
    }

    @Test
    void anUnmapDoesNotWaitForWhoIsStuckAndIsToldAfterwards() throws Exception {
        one.impatient();
        CountDownLatch inReset = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        AtomicReference<Thread> stuck = new AtomicReference<>();
        one.accepting("stuck", context -> new Watching() {
            @Override
            public void reset() {
                inReset.countDown();
                awaitQuietly(end);
            }
        });
        try (VfioDevice device = one.open()) {
            map(device, FIRST);
            stuck.set(Thread.ofPlatform().start(() -> resetOrFail(device)));
            inReset.await();
            device.dmaUnmap(FIRST.iova(), SIZE);
            assertErrno(Errno.EFAULT, () -> one.hardware.lent.dma().read(FIRST.iova(), memory, 0, 4));
            assertThat(seen).containsExactly("map 0x100000-0x103fff rw");
            map(device, FIRST, Errno.EBUSY);
            end.countDown();
            stuck.get().join();
            map(device, SECOND);
            assertThat(seen).endsWith("unmap 0x100000-0x103fff rw", "map 0x200000-0x203fff r");
        }
    }

    private void mapOrFail(VfioDevice device) {
        try {
            map(device, FIRST);
        } catch (VfioException e) {
            seen.add(e.getMessage());
        }
    }

    private void resetOrFail(VfioDevice device) {
        try {
            device.reset();
        } catch (VfioException e) {
            seen.add(e.getMessage());
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
