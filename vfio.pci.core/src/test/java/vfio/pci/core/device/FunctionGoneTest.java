// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import linux.sys.Memfd;
import linux.sys.Proc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;
import vfio.pci.api.mediation.Claim;

/// The function goes while it is open.
@Timeout(60)
class FunctionGoneTest {
    private final OneDevice one = new OneDevice();

    @AfterEach
    void end() {
        one.close();
    }

    @Test
    void tellsEverybodyAndAnswersEnodevFromThenOn() throws VfioException {
        int before = Proc.openDescriptors();
        AnsweringMediation mediation = new AnsweringMediation(Claim.of(0, 0x4000, 4));
        one.accepting("mediator", context -> mediation);
        VfioDevice device = one.open();
        VfioDevice other = one.open();
        DevicePort port = device.port();
        List<String> told = new CopyOnWriteArrayList<>();
        device.setIrqTriggers(IrqIndex.REQ, 0, List.of(() -> told.add("REQ")));
        other.setIrqTriggers(IrqIndex.ERR, 0, List.of(() -> told.add("ERR")));
        device.onGone(() -> {
            throw new IllegalStateException("a client's bug");
        });
        device.onGone(() -> told.add("gone"));
        other.onGone(() -> told.add("gone"));
        device.dmaMap(new DmaMapping(0, 0x1000, true, true, new DmaBacking.File(Memfd.create("guest", 0x1000, true), 0)));
        one.function.gone("its function has gone");
        assertThat(told).containsExactly("REQ", "ERR", "gone", "gone");
        assertThat(mediation.closes).hasValue(1);
        assertThat(one.hardware.driver()).isEmpty();
        assertErrno(Errno.ENODEV, () -> read32(port, 0, 0x4000));
        assertErrno(Errno.ENODEV, () -> write32(port, 0, 0x8000, 1));
        assertErrno(Errno.ENODEV, device::port);
        assertErrno(Errno.ENODEV, device::reset);
        assertErrno(Errno.ENODEV, () -> device.regionInfo(0));
        assertErrno(Errno.ENODEV, () -> device.irqInfo(0));
        assertErrno(Errno.ENODEV, () -> device.map(0, 0, 0x1000));
        assertErrno(Errno.ENODEV, () -> device.regionFile(0));
        assertErrno(Errno.ENODEV, () -> device.disableIrq(IrqIndex.MSIX));
        one.function.gone("the core stops");
        AtomicInteger late = new AtomicInteger();
        device.onGone(late::incrementAndGet);
        assertThat(late).as("at once").hasValue(1);
        assertThat(told).hasSize(4);
        device.close();
        other.close();
        assertThat(one.function.device()).isEmpty();
        assertThat(one.hardware.done).containsOnlyOnce("close");
        assertThat(Proc.openDescriptors()).isEqualTo(before);
    }

    @Test
    void goesUnderLoad() throws Exception {
        for (int round = 0; round < 30; round++) {
            try (OneDevice under = new OneDevice()) {
                AnsweringMediation mediation = new AnsweringMediation(Claim.of(0, 0x4000, 4));
                under.accepting("mediator", context -> mediation);
                VfioDevice device = under.open();
                AtomicLong accesses = new AtomicLong();
                List<Errno> answers = new CopyOnWriteArrayList<>();
                List<Thread> threads = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    threads.add(Thread.ofPlatform().start(() -> accessUntilItFails(device, accesses, answers)));
                }
                await("accesses go on", () -> accesses.get() > 100);
                under.function.gone("its function has gone");
                for (Thread thread : threads) {
                    thread.join();
                }
                assertThat(answers).containsExactly(Errno.ENODEV, Errno.ENODEV, Errno.ENODEV);
                assertThat(mediation.lateCalls).hasValue(0);
                device.close();
            }
        }
    }

    private static void accessUntilItFails(VfioDevice device, AtomicLong accesses, List<Errno> answers) {
        try (DevicePort port = device.port()) {
            while (true) {
                write32(port, 0, 0x1000, 1);
                read32(port, 0, 0x4000);
                read32(port, 0, 0x8000);
                read32(port, 7, 0);
                accesses.incrementAndGet();
            }
        } catch (VfioException e) {
            answers.add(e.errno());
        }
    }

    @Test
    void closesUnderLoad() throws Exception {
        int before = Proc.openDescriptors();
        for (int round = 0; round < 100; round++) {
            VfioDevice device = one.open();
            AtomicLong calls = new AtomicLong();
            List<Errno> answers = new CopyOnWriteArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int number = i;
                threads.add(Thread.ofPlatform().start(() -> useUntilItFails(device, number, calls, answers)));
            }
            await("calls go on", () -> calls.get() > 3);
            device.close();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(answers).containsExactly(Errno.EBADF, Errno.EBADF, Errno.EBADF);
            assertThat(Proc.openDescriptors()).isEqualTo(before);
            assertThat(one.function.device()).isEmpty();
        }
    }

    private static void useUntilItFails(VfioDevice device, int number, AtomicLong calls, List<Errno> answers) {
        try {
            for (long i = 0;; i++) {
                device.dmaMap(new DmaMapping(i % 8 << 32 | (long) number << 16, 0x1000, true, true,
                    new DmaBacking.File(Memfd.create("guest", 0x1000, true), 0)));
                device.setIrqTriggers(IrqIndex.MSIX, number, List.of(() -> { }));
                device.map(0, 0, 0x1000);
                device.dmaUnmap(i % 8 << 32 | (long) number << 16, 0x1000);
                calls.incrementAndGet();
            }
        } catch (VfioException e) {
            answers.add(e.errno() == Errno.ENOENT ? Errno.EBADF : e.errno());
        }
    }
}
