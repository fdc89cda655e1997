// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.Verdict;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.api.migration.MigrationState;
import vfio.pci.api.migration.StateSection;
import vfio.pci.api.migration.StateVersion;
import vfio.pci.core.VfioErrors;
import vfio.pci.core.binding.Mediator;

/// A mediator takes over from another under a client: with its state, or not at all.
class MediatorSwapTest {
    private static final long REGISTER = 0x5000;

    private final OneDevice one = new OneDevice();

    @AfterEach
    void close() {
        one.close();
    }

    /// Counts reads of a register; the count is its state. Each version has its own ways to fail.
    private static final class Counting extends Mediation {
        final AtomicInteger count = new AtomicInteger();
        final AtomicInteger closes = new AtomicInteger();
        final AtomicInteger starts = new AtomicInteger();
        final CountDownLatch end = new CountDownLatch(1);
        final int major;
        volatile boolean stopped;
        volatile String failing = "";
        volatile boolean refusing;

        Counting(int major) {
            this.major = major;
        }

        Counting failing(String how) {
            failing = how;
            return this;
        }

        private void at(String place) throws VfioException {
            if (failing.equals("refuses in " + place)) {
                throw new VfioException(Errno.EINVAL, "no " + place);
            }
            if (failing.equals("throws in " + place)) {
                throw new IllegalStateException("a bug in " + place);
            }
            if (failing.equals("hangs in " + place)) {
                boolean done = false;
                while (!done) {
                    try {
                        end.await();
                        done = true;
                    } catch (InterruptedException e) {
                        // As a stuck one does not.
                    }
                }
            }
        }

        @Override
        public List<Claim> claims() {
            return List.of(Claim.of(0, REGISTER, 4));
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment buffer, long bufferOffset, int bytes) {
            if (stopped) {
                throw new IllegalStateException("read while it stands still");
            }
            buffer.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset, count.incrementAndGet());
            return Verdict.HANDLED;
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return Optional.of(new Driver());
        }

        @Override
        public boolean stateless() {
            return failing.equals("is stateless");
        }

        @Override
        public void close() {
            closes.incrementAndGet();
            try {
                at("close");
            } catch (VfioException e) {
                throw new IllegalStateException(e);
            }
        }

        private final class Driver extends MigrationDriver {
            @Override
            public StateVersion version() {
                return new StateVersion(major, 0);
            }

            @Override
            public long stateSize() {
                return 4;
            }

            @Override
            public void stop() throws VfioException {
                at("stop");
                stopped = true;
            }

            @Override
            public void start() throws VfioException {
                at("start");
                stopped = false;
                starts.incrementAndGet();
            }

            @Override
            public List<StateSection> save() throws VfioException {
                at("save");
                byte[] data = new byte[failing.equals("corrupts") ? 1 : 4];
                for (int i = 0; i < data.length; i++) {
                    data[i] = (byte) (count.get() >> 8 * i);
                }
                return List.of(new StateSection("count", major, data));
            }

            @Override
            public void load(StateVersion version, List<StateSection> sections) throws VfioException {
                if (!failing.isEmpty()) {
                    // What it is given is its own.
                    byte[] data = sections.getFirst().data().clone();
                    Arrays.fill(sections.getFirst().data(), (byte) 0x55);
                    System.arraycopy(failing.equals("converts") ? data : sections.getFirst().data(), 0, sections.getFirst().data(), 0,
                        data.length);
                }
                at("load");
                if (refusing || version.major() > major || sections.getFirst().version() != version.major()) {
                    throw new VfioException(Errno.EINVAL, "state version=" + version);
                }
                count.set(MemorySegment.ofArray(sections.getFirst().data()).get(ValueLayout.JAVA_INT_UNALIGNED, 0));
            }

            @Override
            public Optional<List<StateSection>> convert(String mediator, StateVersion version, List<StateSection> sections) {
                return failing.equals("converts")
                    ? Optional.of(List.of(new StateSection("count", major, sections.getFirst().data()))) : Optional.empty();
            }

            @Override
            public Map<String, String> configuration() {
                return Map.of();
            }
        }
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

    @Test
    void aRenewedFunctionHasTheStateOfTheOneBefore() throws VfioException {
        Counting counting = new Counting(1);
        one.accepting("counter", context -> counting);
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            OneDevice.write32(port, 7, 4, 0x0006);
            int command = read32(port, 7, 4);
            one.function.renew();
            assertThat(one.hardware.done).contains("close");
            assertThat(read32(port, 0, REGISTER)).isEqualTo(2);
            assertThat(read32(port, 7, 4)).isEqualTo(command);
            assertThat(counting.starts).hasValue(1);
            assertThat(counting.closes).hasValue(0);
        }
        assertThat(one.hardware.driver()).isEmpty();
    }

    @Test
    void aFunctionThatCannotBeHadAgainIsGone() throws VfioException {
        one.accepting("counter", context -> new Counting(1));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            AtomicInteger told = new AtomicInteger();
            handle.onGone(told::incrementAndGet);
            one.hardware.goes();
            assertThat(catchThrowable(one.function::renew)).isInstanceOf(VfioException.class);
            assertThat(told.get()).isLessThanOrEqualTo(1);
        }
    }
}
