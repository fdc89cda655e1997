// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.core.VfioErrors;

/// Accesses of a device that is held wait, those under way are waited for, and all of it ends.
class HoldTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final OneDevice one = new OneDevice();

    @AfterEach
    void close() {
        one.close();
    }

    private OpenDevice device() {
        return one.function.device().orElseThrow();
    }

    private static Thread started(Runnable task) {
        return Thread.ofPlatform().daemon().start(task);
    }

    private static void awaitParked(Thread thread) {
        await("it waits", () -> thread.getState() == Thread.State.WAITING);
    }

    @Test
    void anAccessWaitsAndIsDoneOnce() throws VfioException, InterruptedException {
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Hold hold = Hold.begin(device(), "a test", LONG);
            int before = one.hardware.accesses.get();
            Thread writer = started(() -> write(port, 0x4000, 7));
            awaitParked(writer);
            assertThat(one.hardware.accesses.get()).isEqualTo(before);
            hold.release();
            writer.join();
            assertThat(one.hardware.accesses.get()).isEqualTo(before + 1);
            assertThat(read32(port, 0, 0x4000)).isEqualTo(7);
        }
    }

    @Test
    void accessesOfAPortStayInOrder() throws VfioException, InterruptedException {
        List<Integer> seen = new CopyOnWriteArrayList<>();
        one.accepting("watching", context -> new AnsweringMediation(Claim.of(0, 0x4000, 4)) {
            @Override
            public Verdict write(int region, long offset, MemorySegment buffer, long bufferOffset, int count) {
                seen.add(buffer.get(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset));
                return Verdict.HANDLED;
            }
        });
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Thread writer = started(() -> {
                for (int i = 0; i < 2000; i++) {
                    write(port, 0x4000, i);
                }
            });
            while (writer.isAlive()) {
                Hold.begin(device(), "a test", LONG).release();
            }
            writer.join();
            assertThat(seen).hasSize(2000).isSorted();
        }
    }

    @Test
    void anAccessUnderWayIsWaitedFor() throws VfioException, InterruptedException {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.hardware.bug = () -> awaitLatch(inside, leave);
            Thread reader = started(() -> write(port, 0x4000, 1));
            inside.await();
            CompletableFuture<Hold> hold = CompletableFuture.supplyAsync(this::hold);
            await("it is held", () -> device().usability().held() != null);
            leave.countDown();
            hold.join().release();
            reader.join();
            one.hardware.works();
        }
    }

    @Test
    void anAccessThatDoesNotEndIsNotWaitedForForEver() throws VfioException, InterruptedException {
        one.impatient();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.hardware.bug = () -> awaitLatch(inside, leave);
            Thread writer = started(() -> write(port, 0x4000, 1));
            inside.await();
            VfioErrors.assertErrno(Errno.ETIMEDOUT, () -> Hold.begin(device(), "a test", LONG));
            assertThat(device().usability().held()).isNull();
            leave.countDown();
            writer.join();
            one.hardware.works();
        }
    }

    private Hold hold() {
        try {
            return Hold.begin(device(), "a test", LONG);
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitLatch(CountDownLatch inside, CountDownLatch leave) {
        inside.countDown();
        try {
            leave.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whoMustNotWaitIsToldWhenToComeBack() throws VfioException {
        one.impatient();
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            AtomicInteger told = new AtomicInteger();
            Runnable released = told::incrementAndGet;
            Hold hold = Hold.begin(device(), "a test", LONG);
            assertThat(port.enter(released)).isFalse();
            assertThat(port.enter(released)).isFalse();
            hold.release();
            assertThat(told).hasValue(1);
            assertThat(port.enter(released)).isTrue();
            assertThat(read32(port, 0, 0x4000)).isZero();
            VfioErrors.assertErrno(Errno.ETIMEDOUT, () -> Hold.begin(device(), "somebody is inside", LONG));
            port.leave();
            Hold.begin(device(), "nobody is", LONG).release();
        }
    }

    @Test
    void aPortThatIsClosedIsNotTold() throws VfioException {
        try (VfioDevice handle = one.open()) {
            AtomicInteger told = new AtomicInteger();
            DevicePort port = handle.port();
            Hold hold = Hold.begin(device(), "a test", LONG);
            assertThat(port.enter(told::incrementAndGet)).isFalse();
            port.close();
            hold.release();
            assertThat(told).hasValue(0);
        }
    }

    @Test
    void endsByItselfAtItsBound() throws VfioException {
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Hold hold = Hold.begin(device(), "a test", Duration.ofMillis(50));
            assertThat(read32(port, 0, 0x4000)).isZero();
            assertThat(hold.isOver()).isTrue();
        }
    }

    @Test
    void isOneAtATime() throws VfioException {
        try (VfioDevice handle = one.open()) {
            Hold hold = Hold.begin(device(), "the first", LONG);
            VfioErrors.assertErrno(Errno.EBUSY, () -> Hold.begin(device(), "the second", LONG));
            hold.release();
            Hold.begin(device(), "the third", LONG).release();
        }
    }

    @Test
    void aDeviceThatGoesLetsThoseWhoWaitMeetThat() throws VfioException, InterruptedException {
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Hold.begin(device(), "a test", LONG);
            List<Errno> errors = new CopyOnWriteArrayList<>();
            Thread reader = started(() -> {
                try {
                    read32(port, 0, 0x4000);
                } catch (VfioException e) {
                    errors.add(e.errno());
                }
            });
            awaitParked(reader);
            device().gone("a test");
            reader.join();
            assertThat(errors).containsExactly(Errno.ENODEV);
        }
    }

    private static void write(DevicePort port, long offset, int value) {
        try {
            write32(port, 0, offset, value);
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
    }
}
