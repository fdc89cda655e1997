// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.core.VfioErrors;
import vfio.pci.core.binding.Mediator;

/// A mediator takes over from another under a client: with its state, or not at all.
class MediatorSwapTest {
    private static final long REGISTER = Counting.REGISTER;

    private final OneDevice one = new OneDevice();

    @AfterEach
    void close() {
        one.close();
    }

    private Exchange swap(Mediator from, Mediator to) {
        return MediatorSwap.eachAlone(List.of(one.function), from, to).getFirst();
    }

    @Test
    void theNewOneGoesOnWhereTheOldOneWas() throws VfioException {
        Counting old = new Counting(1);
        Counting next = new Counting(1);
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            Exchange exchange = swap(from, one.accepting("counter", context -> next));
            assertThat(exchange.failure()).isEmpty();
            assertThat(exchange.mediator()).contains("counter");
            assertThat(read32(port, 0, REGISTER)).isEqualTo(3);
            assertThat(next.count).hasValue(3);
            assertThat(old.closes).hasValue(1);
            assertThat(next.closes).hasValue(0);
            assertThat(from.status().devices()).isEmpty();
            assertThat(handle.migration()).hasValueSatisfying(migration -> assertThat(migration.state()).isEqualTo(MigrationState.RUNNING));
        }
        assertThat(next.closes).hasValue(1);
        assertThat(old.closes).hasValue(1);
    }

    @Test
    void aVersionThatFailsIsAsIfItHadNeverBeen() throws VfioException {
        for (String how : List.of("refuses in load", "throws in load", "refuses in start", "throws in start", "refuses in save",
                "corrupts")) {
            try (OneDevice device = new OneDevice()) {
                Counting old = new Counting(1);
                Counting next = new Counting(1).failing(how);
                Mediator from = device.accepting("counter", context -> old);
                try (VfioDevice handle = device.open(); DevicePort port = handle.port()) {
                    assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
                    Mediator to = device.accepting("counter", context -> next);
                    Exchange exchange = MediatorSwap.eachAlone(List.of(device.function), from, to).getFirst();
                    assertThat(exchange.failure()).as(how).isPresent();
                    assertThat(read32(port, 0, REGISTER)).as(how).isEqualTo(2);
                    assertThat(old.count).as(how).hasValue(2);
                    assertThat(next.closes).as(how).hasValue(1);
                    assertThat(to.status().devices()).as(how).isEmpty();
                    assertThat(from.status().devices()).as(how).hasSize(1);
                }
            }
        }
    }

    @Test
    void aVersionThatRefusesTheDeviceIsNotTaken() throws VfioException {
        Counting old = new Counting(1);
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Mediator to = one.mediator("counter", (asked, context) -> Optional.empty());
            assertThat(swap(from, to).failure()).hasValueSatisfying(why -> assertThat(why).contains("refused"));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
            assertThat(old.closes).hasValue(0);
        }
    }

    @Test
    void aVersionThatHangsIsGivenUpAndListed() throws VfioException {
        Counting old = new Counting(1);
        one.impatient(Duration.ofSeconds(2));
        Counting next = new Counting(1).failing("hangs in load");
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            Mediator to = one.accepting("counter", context -> next);
            assertThat(swap(from, to).failure()).hasValueSatisfying(why -> assertThat(why).contains("hangs"));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            assertThat(to.status().stuck()).hasSize(1);
            next.end.countDown();
            await("its thread leaves", () -> to.status().stuck().isEmpty());
            assertThat(read32(port, 0, REGISTER)).isEqualTo(3);
        }
    }

    @Test
    void anOldOneThatHangsIsGivenUp() throws VfioException {
        one.impatient(Duration.ofSeconds(2));
        Counting old = new Counting(1).failing("hangs in save");
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Exchange exchange = swap(from, one.accepting("counter", context -> new Counting(1)));
            assertThat(exchange.failure()).hasValueSatisfying(why -> assertThat(why).contains("hangs"));
            assertThat(from.status().stuck()).hasSize(1);
            VfioErrors.assertErrno(Errno.EIO, () -> read32(port, 0, REGISTER));
            old.end.countDown();
            await("its thread leaves", () -> from.status().stuck().isEmpty());
            assertThat(read32(port, 0, REGISTER)).as("it passes through").isZero();
        }
    }

    @Test
    void theNewOneGoesOnThoughTheOldOneHangsInClose() throws VfioException {
        one.impatient(Duration.ofSeconds(2));
        Counting old = new Counting(1).failing("hangs in close");
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            assertThat(swap(from, one.accepting("counter", context -> new Counting(1))).failure()).isEmpty();
            assertThat(from.status().stuck()).hasSize(1);
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            old.end.countDown();
            await("its thread leaves", () -> from.status().stuck().isEmpty());
        }
    }

    @Test
    void aRefusedOneThatHangsInCloseIsListed() throws VfioException {
        one.impatient(Duration.ofSeconds(2));
        Counting old = new Counting(1);
        Counting next = new Counting(1).failing("hangs in close");
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            next.refusing = true;
            Mediator to = one.accepting("counter", context -> next);
            assertThat(swap(from, to).failure()).isPresent();
            assertThat(to.status().stuck()).hasSize(1);
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            next.end.countDown();
            await("its thread leaves", () -> to.status().stuck().isEmpty());
        }
    }

    @Test
    void anOldOneThatCannotSaveGoesOn() throws VfioException {
        Counting old = new Counting(1).failing("refuses in save");
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            Exchange exchange = swap(from, one.accepting("counter", context -> new Counting(1)));
            assertThat(exchange.failure()).hasValueSatisfying(why -> assertThat(why).contains("no save"));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(1);
            assertThat(old.starts).hasValue(1);
        }
    }

    @Test
    void aNewerStateIsConvertedOrRefused() throws VfioException {
        Counting old = new Counting(2);
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            Mediator strict = one.accepting("strict", context -> new Counting(1));
            assertThat(swap(from, strict).failure()).isPresent();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            Mediator converting = one.accepting("converting", context -> new Counting(1).failing("converts"));
            assertThat(swap(from, converting).failure()).isEmpty();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(3);
        }
    }

    @Test
    void aDeviceThatAClientMovesIsLeftAlone() throws VfioException {
        Mediator from = one.accepting("counter", context -> new Counting(1));
        try (VfioDevice handle = one.open()) {
            handle.migration().orElseThrow().state(MigrationState.STOP);
            Mediator to = one.accepting("counter", context -> new Counting(1));
            assertThat(swap(from, to).failure()).hasValueSatisfying(why -> assertThat(why).contains("device_state=STOP"));
        }
    }

    @Test
    void oneThatSaysItIsStatelessNeedsNoState() throws VfioException {
        AnsweringMediation stateful = new AnsweringMediation(Claim.of(0, REGISTER, 4));
        AnsweringMediation stateless = new AnsweringMediation(Claim.of(0, REGISTER, 4)) {
            @Override
            public boolean stateless() {
                return true;
            }
        };
        Mediator from = one.accepting("stateful", context -> stateful);
        Mediator to = one.accepting("stateless", context -> stateless);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(swap(from, to).failure()).hasValueSatisfying(why -> assertThat(why).contains("stateless"));
            assertThat(read32(port, 0, REGISTER)).isEqualTo(0xA5A5A5A5);
            assertThat(stateful.reads).hasValue(1);
            one.function.rebind(List.of(to));
            assertThat(stateful.closes).hasValue(1);
            assertThat(swap(to, one.accepting("another", context -> new AnsweringMediation(Claim.of(0, REGISTER, 4)) {
                @Override
                public boolean stateless() {
                    return true;
                }
            })).failure()).isEmpty();
            assertThat(stateless.closes).hasValue(1);
        }
    }

    @Test
    void aDeviceRunsOnWhileAStatelessMediationIsExchanged() throws VfioException {
        Counting old = new Counting(1).failing("is stateless");
        Counting next = new Counting(1);
        Mediator from = one.accepting("counter", context -> old);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            Mediator to = one.accepting("counter", context -> next);
            handle.migration().orElseThrow().state(MigrationState.STOP);
            assertThat(swap(from, to).failure()).hasValueSatisfying(why -> assertThat(why).contains("device_state=STOP"));
            handle.migration().orElseThrow().state(MigrationState.RUNNING);
            int starts = old.starts.get();
            assertThat(swap(from, to).failure()).isEmpty();
            assertThat(old.starts).hasValue(starts);
            assertThat(read32(port, 0, REGISTER)).as("it begins anew").isEqualTo(1);
        }
    }

    @Test
    void noReadIsLostOrCountedTwiceUnderAccess() throws VfioException, InterruptedException {
        Mediator[] versions = new Mediator[40];
        for (int i = 0; i < versions.length; i++) {
            versions[i] = one.accepting("counter", context -> new Counting(1));
        }
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            AtomicInteger last = new AtomicInteger();
            AtomicInteger wrong = new AtomicInteger();
            Thread reader = Thread.ofPlatform().daemon().start(() -> {
                while (last.get() < 1_000_000 && !Thread.interrupted()) {
                    try {
                        int now = read32(port, 0, REGISTER);
                        wrong.addAndGet(now == last.get() + 1 ? 0 : 1);
                        last.set(now);
                    } catch (VfioException e) {
                        wrong.incrementAndGet();
                    }
                }
            });
            for (int i = 1; i < versions.length; i++) {
                assertThat(swap(versions[i - 1], versions[i]).failure()).isEmpty();
            }
            reader.interrupt();
            reader.join();
            assertThat(wrong).hasValue(0);
            assertThat(last.get()).isPositive();
        }
    }
}
