// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.read32;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import linux.sys.Proc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Capability;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.migration.MigrationDriver;
import vfio.pci.core.binding.Mediator;

/// Who is asked when a device opens, and what becomes of those who do not take it.
@Timeout(60)
class MediatorOrderTest {
    private static final Claim REGISTER = Claim.of(0, 0x4000, 4);

    private final OneDevice one = new OneDevice();
    private final List<String> asked = new ArrayList<>();
    private volatile boolean looked;

    @AfterEach
    void end() {
        one.close();
    }

    private Mediator refusing(String name) {
        return one.mediator(name, (function, context) -> {
            asked.add(name);
            return Optional.empty();
        });
    }

    private AnsweringMediation accepting(String name) {
        AnsweringMediation mediation = new AnsweringMediation(REGISTER);
        one.mediator(name, (function, context) -> {
            asked.add(name);
            return Optional.of(mediation);
        });
        return mediation;
    }

    /// Ways in which a mediator is no use at open.
    enum Bug {
        EXCEPTION(context -> {
            throw new IllegalStateException("broken");
        }),
        ERROR(context -> {
            throw new AssertionError("broken");
        }),
        MISSING_CLASS(context -> {
            throw new NoClassDefFoundError("vendor/Missing");
        }),
        ENDLESS_RECURSION(MediatorOrderTest::recurse),
        MUTE_EXCEPTION(context -> {
            throw new MuteException();
        }),
        NO_ANSWER(context -> null);

        private final Function<MediationContext, Optional<Mediation>> opening;

        Bug(Function<MediationContext, Optional<Mediation>> opening) {
            this.opening = opening;
        }
    }

    private static Optional<Mediation> recurse(MediationContext context) {
        return recurse(context).map(mediation -> mediation);
    }

    /// An exception of a vendor's that fails when it is looked at.
    static final class MuteException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }

    @ParameterizedTest
    @EnumSource(Bug.class)
    void skipsAndCountsOneThatFails(Bug bug) throws VfioException {
        Mediator failing = one.mediator("failing", (function, context) -> bug.opening.apply(context));
        AnsweringMediation next = accepting("next");
        VfioDevice device = one.open();
        assertThat(read32(device.port(), 0, 0x4000)).isEqualTo(0xA5A5A5A5);
        assertThat(failing.status().failed()).isEqualTo(1);
        assertThat(failing.status().accepted()).isZero();
        device.close();
        assertThat(next.closes).hasValue(1);
    }

    @Test
    void leavesNothingBehindWhenOneFailsWithWhatNobodyExpects() throws VfioException {
        int before = Proc.openDescriptors();
        Mediator failing = one.mediator("failing", (function, context) -> sneak(new Exception("checked")));
        assertThat(catchThrowable(one::open)).hasMessage("checked");
        assertThat(Proc.openDescriptors()).isEqualTo(before);
        assertThat(one.hardware.driver()).isEmpty();
        one.goes(failing);
        one.openAndClose();
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> Optional<Mediation> sneak(Exception exception) throws E {
        throw (E) exception;
    }

    @Test
    void takesAnAnswerOfErrnoAsARefusal() throws VfioException {
        Mediator full = one.mediator("full", (function, context) -> {
            throw new VfioException(Errno.EBUSY, "devices=0x100 expected=less");
        });
        AnsweringMediation next = accepting("next");
        one.openAndClose();
        assertThat(full.status().refused()).isEqualTo(1);
        assertThat(full.status().failed()).isZero();
        assertThat(next.closes).hasValue(1);
    }

    @Test
    void undoesWhatARefusingOneAdded() throws VfioException {
        one.mediator("hoarder", (function, context) -> {
            context.addRegion(0x1000, Optional.empty(), RegionInfo.absent(0));
            return Optional.empty();
        });
        VfioDevice device = one.open();
        assertThat(device.info().regions()).isEqualTo(RegionIndex.FIRST_SPECIFIC + 1);
        assertThat(device.regionInfo(RegionIndex.FIRST_SPECIFIC).size()).isZero();
        device.close();
    }

    /// Ways in which a mediation fails while it is being bound.
    enum BindingBug {
        CLAIMS, CLAIM_OF_NO_REGION, NULL_CLAIMS, CAPABILITIES, REGION_INFO, WRONG_REGION, NO_DRIVER
    }

    private static final class Unbindable extends AnsweringMediation {
        private final BindingBug bug;

        Unbindable(BindingBug bug) {
            this.bug = bug;
        }

        @Override
        public List<Claim> claims() {
            return switch (bug) {
                case CLAIMS -> throw new IllegalStateException("claims");
                case CLAIM_OF_NO_REGION -> List.of(Claim.whole(Integer.MAX_VALUE - 1));
                case NULL_CLAIMS -> null;
                default -> List.of(REGISTER);
            };
        }

        @Override
        public Set<Capability> capabilities() {
            if (bug == BindingBug.CAPABILITIES) {
                throw new IllegalStateException("capabilities");
            }
            return Set.of(Capability.MIGRATION, Capability.DYNAMIC_TRAP_BAR);
        }

        @Override
        public Optional<MigrationDriver> migration() {
            return bug == BindingBug.NO_DRIVER ? Optional.empty() : Optional.of(new PreCopyingDriver(() -> { }));
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            return switch (bug) {
                case REGION_INFO -> throw new IllegalStateException("region info");
                case WRONG_REGION -> RegionInfo.absent(defaults.index() + 1);
                default -> defaults.withSize(0x20);
            };
        }
    }

    @ParameterizedTest
    @EnumSource(BindingBug.class)
    void skipsOneWhoseMediationFailsWhileItIsBound(BindingBug bug) throws VfioException {
        Unbindable mediation = new Unbindable(bug);
        Mediator failing = one.accepting("failing", context -> mediation);
        VfioDevice device = one.open();
        assertThat(mediation.closes).hasValue(1);
        assertThat(failing.status().failed()).isEqualTo(1);
        assertThat(failing.status().devices()).isEmpty();
        assertThat(one.function.status().mediator()).isEmpty();
        assertThat(device.regionInfo(0).size()).isEqualTo(0x10000);
        for (int i = RegionIndex.FIRST_SPECIFIC; i < device.info().regions(); i++) {
            assertThat(device.regionInfo(i).size()).isZero();
        }
        read32(device.port(), 0, 0x4000);
        assertThat(one.hardware.accesses).hasValue(1);
        device.close();
        assertThat(mediation.closes).hasValue(1);
    }

    @Test
    void bindsNoneWhenAllRefuse() throws VfioException {
        refusing("a");
        refusing("b");
        VfioDevice device = one.open();
        assertThat(asked).containsExactly("a", "b");
        assertThat(one.function.status().mediator()).isEmpty();
        read32(device.port(), 0, 0x4000);
        assertThat(one.hardware.accesses).hasValue(1);
        device.close();
    }

    @Test
    void asksInOrderUntilOneAccepts() throws VfioException {
        refusing("a");
        accepting("b");
        accepting("c");
        one.openAndClose();
        assertThat(asked).containsExactly("a", "b");
    }

    @Test
    void asksNoneThatHasGone() throws VfioException {
        accepting("a");
        Mediator gone = one.mediators.getFirst();
        List<Mediator> asOfBefore = List.copyOf(one.mediators);
        one.goes(gone);
        one.function.open(OneDevice.STANDARD, asOfBefore, one.settings).close();
        assertThat(asked).isEmpty();
        assertThat(gone.status().failed()).as("it was not asked, so it did not fail").isZero();
    }

    @Test
    void endsAMediationWhoseMediatorWentFromWithinItsOwnOpen() throws VfioException {
        AnsweringMediation mediation = new AnsweringMediation(REGISTER);
        List<Mediator> self = new ArrayList<>();
        self.add(one.mediator("suicidal", (function, context) -> {
            one.goes(self.getFirst());
            return Optional.of(mediation);
        }));
        List<Mediator> asOfBefore = List.copyOf(one.mediators);
        VfioDevice device = one.function.open(OneDevice.STANDARD, asOfBefore, one.settings);
        assertThat(mediation.closes).hasValue(1);
        assertThat(one.function.status().mediator()).isEmpty();
        assertThat(self.getFirst().status().devices()).isEmpty();
        read32(device.port(), 0, 0x4000);
        assertThat(mediation.reads).hasValue(0);
        device.close();
        assertThat(mediation.closes).hasValue(1);
        assertThat(mediation.lateCalls).hasValue(0);
    }

    @Test
    void waitsForAThreadInItsOpenAndThenEndsTheMediation() throws Exception {
        AnsweringMediation mediation = new AnsweringMediation(REGISTER);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        Mediator slow = one.mediator("slow", (function, context) -> {
            inside.countDown();
            awaitUninterruptibly(mayLeave);
            return Optional.of(mediation);
        });
        one.settings = new DeviceSettings(false, Duration.ofSeconds(20), 64, 4);
        List<Mediator> asOfBefore = List.copyOf(one.mediators);
        FutureTask<VfioDevice> opening = new FutureTask<>(() -> one.function.open(OneDevice.STANDARD, asOfBefore, one.settings));
        Thread.ofPlatform().start(opening);
        inside.await();
        FutureTask<Void> going = new FutureTask<>(() -> one.goes(slow), null);
        Thread remover = Thread.ofPlatform().start(going);
        OneDevice.await("the remover waits", () -> remover.getState() == Thread.State.TIMED_WAITING);
        mayLeave.countDown();
        going.get(30, TimeUnit.SECONDS);
        assertThat(mediation.closes).as("closed when the unregistering returned").hasValue(1);
        VfioDevice device = opening.get(30, TimeUnit.SECONDS);
        read32(device.port(), 0, 0x4000);
        assertThat(mediation.reads).hasValue(0);
        device.close();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void givesUpAThreadThatStaysInItsOpen() throws Exception {
        one.impatient();
        AnsweringMediation mediation = new AnsweringMediation(REGISTER);
        CountDownLatch inside = new CountDownLatch(1);
        List<Throwable> refused = new ArrayList<>();
        Mediator hanging = one.mediator("hanging", (function, context) -> {
            inside.countDown();
            awaitUninterruptibly(new CountDownLatch(1));
            refused.add(catchThrowable(() -> context.sharedMemory("late", 0x1000)));
            refused.add(catchThrowable(
                () -> context.addRegion(0x1000, Optional.empty(), RegionInfo.absent(0))));
            OneDevice.await("the test has looked", () -> looked);
            return Optional.of(mediation);
        });
        List<Mediator> asOfBefore = List.copyOf(one.mediators);
        FutureTask<Boolean> opening = new FutureTask<>(() -> {
            VfioDevice device = one.function.open(OneDevice.STANDARD, asOfBefore, one.settings);
            boolean interrupted = Thread.currentThread().isInterrupted();
            device.close();
            return interrupted;
        });
        Thread opener = Thread.ofPlatform().name("opener").start(opening);
        inside.await();
        one.goes(hanging);
        assertThat(hanging.status().stuck()).singleElement().satisfies(thread -> {
            assertThat(thread.thread()).isEqualTo("opener");
            assertThat(thread.device()).isEqualTo(one.hardware.address());
            assertThat(thread.stack()).anyMatch(frame -> frame.contains("MediatorOrderTest"));
        });
        assertThat(hanging.hasStuck()).isTrue();
        looked = true;
        assertThat(opening.get(30, TimeUnit.SECONDS)).as("the interrupt was for the mediator").isFalse();
        opener.join();
        assertThat(hanging.hasStuck()).isFalse();
        assertThat(refused.get(0)).isInstanceOfSatisfying(VfioException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
        assertThat(refused.get(1)).isInstanceOf(IllegalStateException.class);
        assertThat(mediation.closes).as("its result is discarded").hasValue(0);
        assertThat(mediation.reads).hasValue(0);
    }

    @Test
    void letsTheFunctionGoWhenItGoesWhileMediatorsAreAsked() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        AnsweringMediation mediation = new AnsweringMediation(REGISTER);
        one.mediator("slow", (function, context) -> {
            inside.countDown();
            awaitUninterruptibly(mayLeave);
            return Optional.of(mediation);
        });
        FutureTask<VfioDevice> opening = new FutureTask<>(one::open);
        Thread.ofPlatform().start(opening);
        inside.await();
        one.function.gone("its function has gone");
        assertThat(one.hardware.driver()).isEmpty();
        mayLeave.countDown();
        assertErrno(Errno.ENODEV, () -> {
            try {
                opening.get(30, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw e.getCause();
            }
        });
        assertThat(mediation.closes).hasValue(1);
        assertThat(one.function.device()).isEmpty();
    }
}
