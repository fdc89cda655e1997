// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.AbstractList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import linux.sys.Memfd;
import linux.sys.Proc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.OwnedFd;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.IrqTrigger;
import vfio.pci.api.device.RegionMap;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.mediation.Claim;

@Timeout(60)
class OpenCloseTest {
    private final OneDevice one = new OneDevice();

    @AfterEach
    void end() {
        one.close();
    }

    @Test
    void refusesAFunctionThatAnotherDriverHas() throws VfioException {
        one.hardware.driver(Optional.of("i40e"));
        int before = Proc.openDescriptors();
        assertErrno(Errno.EBUSY, one::open);
        assertThat(Proc.openDescriptors()).isEqualTo(before);
        assertThat(one.function.device()).isEmpty();
        one.hardware.driver(Optional.empty());
        one.openAndClose();
    }

    @Test
    void answersEioForAFunctionThatFailsToBind() throws VfioException {
        one.hardware.failsWith(new IllegalStateException("broken"));
        int before = Proc.openDescriptors();
        assertErrno(Errno.EIO, one::open);
        assertThat(Proc.openDescriptors()).isEqualTo(before);
        one.hardware.works();
        one.openAndClose();
    }

    @Test
    void refusesAFunctionThatHasGone() {
        one.function.gone("its function has gone");
        assertErrno(Errno.ENODEV, one::open);
        assertThat(one.hardware.done).isEmpty();
    }

    @Test
    void bindsTheFunctionWhileItIsOpenAndLetsItGoAfter() throws VfioException {
        VfioDevice device = one.open();
        assertThat(one.hardware.driver()).contains("vfio-pci");
        device.close();
        assertThat(one.hardware.driver()).isEmpty();
        device.close();
        assertThat(one.hardware.done).containsExactly("close");
        one.openAndClose();
        assertThat(one.hardware.done).containsExactly("close", "close");
    }

    @Test
    void sharesTheDeviceAndItsMediationBetweenHandles() throws VfioException {
        AtomicInteger asked = new AtomicInteger();
        AnsweringMediation mediation = new AnsweringMediation(Claim.of(0, 0x4000, 4));
        one.mediator("one", (function, context) -> {
            asked.incrementAndGet();
            return Optional.of(mediation);
        });
        VfioDevice first = one.open();
        VfioDevice second = one.open();
        assertThat(asked).hasValue(1);
        first.close();
        assertThat(mediation.closes).hasValue(0);
        assertThat(read32(second.port(), 0, 0x4000)).isEqualTo(0xA5A5A5A5);
        second.close();
        assertThat(mediation.closes).hasValue(1);
        assertThat(one.function.device()).isEmpty();
    }

    @Test
    void refusesEverythingOfAClosedHandle() throws VfioException {
        VfioDevice open = one.open();
        VfioDevice closed = one.open();
        DevicePort port = closed.port();
        closed.close();
        AtomicInteger closedTriggers = new AtomicInteger();
        assertErrno(Errno.EBADF, () -> read32(port, 0, 0x4000));
        assertErrno(Errno.EBADF, closed::port);
        assertErrno(Errno.EBADF, () -> closed.regionInfo(0));
        assertErrno(Errno.EBADF, () -> closed.map(0, 0, 0x1000));
        assertErrno(Errno.EBADF, closed::reset);
        assertErrno(Errno.EBADF, () -> closed.setIrqTriggers(IrqIndex.MSIX, 0, List.of(new CountedTrigger(closedTriggers))));
        assertThat(closedTriggers).hasValue(1);
        int before = Proc.openDescriptors();
        assertErrno(Errno.EBADF, () -> closed.dmaMap(file(0)));
        assertThat(Proc.openDescriptors()).as("the descriptor was taken").isEqualTo(before);
        open.close();
    }

    private static DmaMapping file(long iova) throws VfioException {
        return new DmaMapping(iova, 0x1000, true, true, new DmaBacking.File(Memfd.create("guest", 0x1000, true), 0));
    }

    /// A trigger that counts how often it is closed.
    record CountedTrigger(AtomicInteger closes) implements IrqTrigger {
        @Override
        public void signal() {
        }

        @Override
        public void close() {
            closes.incrementAndGet();
        }
    }

    @Test
    void givesEverythingBackWhenAHandleIsClosed() throws VfioException {
        int before = Proc.openDescriptors();
        VfioDevice device = one.open();
        AtomicInteger closedTriggers = new AtomicInteger();
        device.setIrqTriggers(IrqIndex.MSIX, 0, List.of(new CountedTrigger(closedTriggers), new CountedTrigger(closedTriggers)));
        device.dmaMap(file(0x10000));
        RegionMap map = device.map(0, 0x1000, 0x1000);
        DevicePort port = device.port();
        MemorySegment mapped = map.memory();
        assertThat(one.hardware.lent.barMemory(0).scope().isAlive()).isTrue();
        MemorySegment lent = one.hardware.lent.barMemory(0);
        device.close();
        assertThat(closedTriggers).hasValue(2);
        assertThat(mapped.scope().isAlive()).isFalse();
        assertThat(lent.scope().isAlive()).isFalse();
        assertThat(Proc.openDescriptors()).isEqualTo(before);
        map.close();
        port.close();
        assertThat(one.hardware.done).containsExactly("vector MSIX 0 true", "vector MSIX 1 true", "vector MSIX 0 false",
            "vector MSIX 1 false", "close");
    }

    /// A file whose number is asked for by the mapping of it, at which the handle is closed.
    private record ClosingFile(OwnedFd file, VfioDevice handle) implements OwnedFd {
        @Override
        public int number() {
            handle.close();
            return file.number();
        }

        @Override
        public void close() {
            file.close();
        }
    }

    @Test
    void givesBackAMappingThatWasMadeWhileTheHandleWasClosed() throws VfioException {
        VfioDevice stays = one.open();
        VfioDevice device = one.open();
        int before = Proc.openDescriptors();
        OwnedFd file = new ClosingFile(Memfd.create("guest", 0x1000, true), device);
        assertErrno(Errno.EBADF, () -> device.dmaMap(new DmaMapping(0, 0x1000, true, true, new DmaBacking.File(file, 0))));
        assertThat(Proc.openDescriptors()).isEqualTo(before);
        stays.dmaMap(file(0));
        stays.close();
    }

    @Test
    void givesBackTriggersThatWereAssignedWhileTheHandleWasClosed() throws VfioException {
        VfioDevice stays = one.open();
        VfioDevice device = one.open();
        AtomicInteger closes = new AtomicInteger();
        List<IrqTrigger> closing = new AbstractList<>() {
            @Override
            public IrqTrigger get(int index) {
                return new CountedTrigger(closes);
            }

            @Override
            public int size() {
                device.close();
                return 1;
            }
        };
        assertErrno(Errno.EBADF, () -> device.setIrqTriggers(IrqIndex.REQ, 0, closing));
        assertThat(closes.get()).isPositive();
        stays.setIrqTriggers(IrqIndex.REQ, 0, List.of(new CountedTrigger(new AtomicInteger())));
        stays.close();
    }

    @Test
    void givesEverythingBackWhenTheFunctionFailsAtEveryStep() throws VfioException {
        int before = Proc.openDescriptors();
        VfioDevice device = one.open();
        device.setIrqTriggers(IrqIndex.MSIX, 0, List.of(new CountedTrigger(new AtomicInteger())));
        one.hardware.failsWith(new IllegalStateException("broken"));
        device.close();
        assertThat(Proc.openDescriptors()).isEqualTo(before);
        assertThat(one.function.device()).isEmpty();
    }

    @Test
    void refusesToBeOpenedFromWithinItsOwnOpening() throws VfioException {
        AtomicReference<Exception> answer = new AtomicReference<>();
        one.mediator("curious", (function, context) -> {
            try {
                one.open().close();
            } catch (VfioException e) {
                answer.set(e);
            }
            return Optional.empty();
        });
        VfioDevice device = one.open();
        assertThat(answer.get()).isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        write32(device.port(), 0, 0x4000, 7);
        device.close();
    }

    @Test
    void keepsRegistersApartFromTheFileThatIsHandedOut() throws VfioException {
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, 0, 0x1000, 0x12345678);
        write32(port, 0, 0x5000, 0x55555555);
        try (RegionMap map = device.map(0, 0, 0x2000)) {
            assertThat(map.memory().get(ValueLayout.JAVA_INT, 0x1000)).isEqualTo(0x12345678);
            map.memory().set(ValueLayout.JAVA_INT, 0x1FFC, 0x777);
        }
        assertThat(read32(port, 0, 0x1FFC)).isEqualTo(0x777);
        assertThat(one.hardware.lent.barMemory(0).get(ValueLayout.JAVA_INT, 0x5000)).isZero();
        assertThat(device.regionFile(0)).isPresent();
        assertThat(device.regionFile(7)).isEmpty();
        device.close();
    }

    @Test
    void refusesMapsThatAreNotWithinOneArea() throws VfioException {
        VfioDevice device = one.open();
        assertErrno(Errno.EINVAL, () -> device.map(0, 0x2000, 0x2000));
        assertErrno(Errno.EINVAL, () -> device.map(0, 0x4000, 0x1000));
        assertErrno(Errno.EINVAL, () -> device.map(0, 0, 0));
        assertErrno(Errno.EINVAL, () -> device.map(0, 0, -0x1000));
        assertErrno(Errno.EINVAL, () -> device.map(0, 0x1, 0x1000));
        assertErrno(Errno.EINVAL, () -> device.map(0, 0, 0x800));
        assertErrno(Errno.EINVAL, () -> device.map(7, 0, 0x1000));
        assertErrno(Errno.EINVAL, () -> device.map(9, 0, 0x1000));
        assertErrno(Errno.EINVAL, () -> device.map(-1, 0, 0x1000));
        device.close();
    }

    @Test
    void countsForEachOpenAnew() throws VfioException {
        VfioDevice device = one.open();
        write32(device.port(), 0, 0x4000, 1);
        assertThat(one.function.stats().passedThrough()).isEqualTo(1);
        device.close();
        VfioDevice again = one.open();
        assertThat(one.function.stats().passedThrough()).isZero();
        again.close();
        assertThat(one.function.status().open()).isFalse();
    }
}
