// SPDX-License-Identifier: Apache-2.0
package device.sim.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import device.sim.TestDriver;
import device.sim.configspace.ConfigSpaceBuilder;
import device.sim.register.ReservedRegisters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.PciId;
import vfio.pci.api.Range;
import vfio.pci.api.VfioException;
import vfio.pci.api.dma.DmaSpace;
import vfio.pci.api.function.Bar;
import vfio.pci.api.function.BoundFunction;
import vfio.pci.api.function.InterruptKind;
import vfio.pci.api.function.InterruptVectors;
import vfio.pci.api.function.Interrupts;
import vfio.pci.api.function.LentResources;

class BindingTest {
    private static final PciId ID = new PciId(0x8086, 0x1234, 0x020000, 1, 0, 0);
    private static final Bar MEMORY = new Bar(0, Bar.Kind.MEMORY_32, false, 0x2000, List.of(new Range(0x1000, 0x1000)));

    private final List<Optional<String>> changes = new ArrayList<>();
    private SimulatedFunction function;

    private static final class PlainModel extends DeviceModel {
        private final MessageInterrupts messages;

        private PlainModel(MessageInterrupts messages) {
            super(ConfigSpaceBuilder.conventional().header(ID, List.of(MEMORY), 0).build(), messages);
            this.messages = messages;
            behind(MEMORY, new ReservedRegisters());
        }

        @Override
        protected void resetRegistersLocked() {
            // There are none.
        }

        @Override
        protected Map<Integer, List<Range>> registersInMemory() {
            return Map.of(0, MEMORY.memoryLike());
        }

        @Override
        protected boolean interruptLocked(int vector) {
            return messages.raise(vector);
        }
    }

    @BeforeEach
    void plug() {
        FunctionDescription description = new FunctionDescription(PciAddress.parse("00:01.0"), ID, List.of(MEMORY),
            new InterruptVectors(0, 0, 1), Optional.empty());
        function = new SimulatedFunction(description, new PlainModel(new MessageInterrupts(InterruptKind.MSIX, 1)));
        function.appear(() -> changes.add(function.driver()));
    }

    @Test
    void refusesASecondDriverAndNamesTheFirst() throws VfioException {
        try (TestDriver first = TestDriver.bind(function, "i40e")) {
            assertThat(function.driver()).contains("i40e");
            assertErrno(Errno.EBUSY, () -> TestDriver.bind(function, "vfio-pci"), "driver=i40e");
            first.config(0x10, 4, 0x1000);
        }
        assertThat(function.driver()).isEmpty();
        TestDriver.bind(function, "vfio-pci").close();
    }

    @Test
    void refusesAfterTheFunctionLeft() {
        function.leave();
        assertErrno(Errno.ENODEV, () -> TestDriver.bind(function), "0000:00:01.0");
    }

    @Test
    void refusesMemoryThatIsTooShortAndStaysFree() {
        LentResources tooShort = new LentResources() {
            @Override
            public MemorySegment barMemory(int bar) {
                return Arena.ofAuto().allocate(0x1FFF);
            }

            @Override
            public DmaSpace dma() {
                throw new IllegalStateException("not asked");
            }

            @Override
            public Interrupts interrupts() {
                throw new IllegalStateException("not asked");
            }
        };
        assertThatIllegalArgumentException().isThrownBy(() -> function.bind("vfio-pci", tooShort)).withMessageContaining("0x1fff");
        assertThat(function.driver()).isEmpty();
    }

    @Test
    void tellsAboutEachChangeWithoutALock() throws Exception {
        AtomicReference<Boolean> held = new AtomicReference<>();
        function.appear(() -> {
            changes.add(function.driver());
            held.set(Thread.holdsLock(function.model().lock()));
        });
        TestDriver driver = TestDriver.bind(function, "i40e");
        assertThat(held).hasValue(false);
        driver.close();
        assertThat(held).hasValue(false);
        driver.function().close();
        assertThat(changes).containsExactly(Optional.of("i40e"), Optional.empty());
    }

    @Test
    void answersNothingAfterClose() throws VfioException {
        TestDriver driver = TestDriver.bind(function);
        driver.function().close();
        assertGone(driver);
    }

    @Test
    void answersNothingAfterTheFunctionVanished() throws VfioException {
        TestDriver driver = TestDriver.bind(function);
        function.leave();
        driver.read(0, 0x1000, 4);
        function.vanish();
        assertGone(driver);
        function.appear(() -> { });
        assertGone(driver);
        try (TestDriver next = TestDriver.bind(function)) {
            driver.close();
            assertThat(function.driver()).contains("vfio-pci");
            next.read(0, 0x1000, 4);
        }
    }

    @Test
    void touchesNothingLentAfterClose() throws VfioException {
        TestDriver driver = TestDriver.bind(function);
        driver.write(0, 0x1000, 4, 7);
        driver.close();
        // The memory is freed: a touch would be an IllegalStateException.
        assertErrno(Errno.ENODEV, () -> function.peek(0, 0x1000), "driver=none");
        assertErrno(Errno.ENODEV, () -> function.interrupt(0), "driver=none");
        driver.function().vectorEnabled(InterruptKind.MSIX, 0, true);
    }

    @Test
    void finishesAnAccessBeforeCloseReturns() throws Exception {
        TestDriver driver = TestDriver.bind(function);
        AtomicReference<VfioException> end = new AtomicReference<>();
        CountDownLatch reading = new CountDownLatch(1);
        Thread reader = Thread.ofPlatform().start(() -> {
            byte[] bytes = new byte[8];
            MemorySegment buffer = MemorySegment.ofArray(bytes);
            try {
                while (true) {
                    driver.function().readBar(0, 0x1008, buffer, 0, 8);
                    reading.countDown();
                }
            } catch (VfioException e) {
                end.set(e);
            }
        });
        assertThat(reading.await(30, TimeUnit.SECONDS)).isTrue();
        driver.close();
        reader.join(30_000);
        assertThat(end.get()).as("ended by ENODEV, not by touching freed memory").isNotNull();
        assertThat(end.get().errno()).isEqualTo(Errno.ENODEV);
    }

    @Test
    void refusesAVectorThatDoesNotExist() throws VfioException {
        try (TestDriver driver = TestDriver.bind(function)) {
            assertErrno(Errno.EINVAL, () -> function.interrupt(1), "expected=0 to 0");
            assertErrno(Errno.EINVAL, () -> function.interrupt(-1), "vector=-1");
            assertThat(function.interrupt(0)).isTrue();
            assertThat(driver.raised()).containsExactly(0);
        }
    }

    private static void assertGone(TestDriver driver) {
        BoundFunction bound = driver.function();
        assertErrno(Errno.ENODEV, () -> driver.read(0, 0, 4), "");
        assertErrno(Errno.ENODEV, () -> driver.write(0, 0, 4, 0), "");
        assertErrno(Errno.ENODEV, () -> driver.config(0, 4), "");
        assertErrno(Errno.ENODEV, () -> driver.config(0, 4, 0), "");
        assertErrno(Errno.ENODEV, bound::reset, "");
        bound.vectorEnabled(InterruptKind.MSIX, 0, true);
    }

    private static void assertErrno(Errno errno, ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(errno))
            .hasMessageContaining(message);
    }
}
