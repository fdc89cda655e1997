// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static vfio.pci.core.VfioErrors.assertErrno;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.AccessStats;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.Mediation;
import vfio.pci.api.mediation.MediationContext;
import vfio.pci.api.mediation.Verdict;

/// Where an access goes.
@Timeout(60)
class DispatchTest {
    private static final int BAR0 = 0;

    private final OneDevice one = new OneDevice();
    private final MemorySegment buffer = Arena.ofAuto().allocate(0x20000);

    @AfterEach
    void end() {
        one.close();
    }

    @Test
    void refusesAccessesThatDoNotExist() throws VfioException {
        VfioDevice device = one.open();
        DevicePort port = device.port();
        assertErrno(Errno.EINVAL, () -> port.read(-1, 0, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.read(9, 0, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.read(1, 0, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.read(RegionIndex.VGA, 0, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.read(BAR0, -1, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.read(BAR0, Long.MAX_VALUE, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.read(BAR0, 0x10000, buffer, 0, 1));
        assertErrno(Errno.EINVAL, () -> port.write(BAR0, 0xFFFE, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> port.write(BAR0, 0, buffer, 0, 0x10001));
        assertErrno(Errno.EINVAL, () -> port.write(BAR0, 0, buffer, 0, 0));
        assertThatThrownBy(() -> port.read(BAR0, 0, buffer, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> port.read(BAR0, 0, buffer, 0x1FFFE, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        AccessStats stats = one.function.stats();
        assertThat(stats.errors()).isEqualTo(10);
        assertThat(stats.passedThrough() + stats.mediated()).isZero();
        device.close();
    }

    @Test
    void lendsPlainMemoryThatNobodyWants() throws VfioException {
        one.accepting("answering", context -> new AnsweringMediation(Claim.of(BAR0, 0x1000, 4)));
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, BAR0, 0x2000, 0x12345678);
        AtomicInteger lent = new AtomicInteger();
        DevicePort.Borrower borrower = (memory, offset, count) -> {
            assertThat(memory.isNative()).isTrue();
            lent.set(memory.get(ValueLayout.JAVA_INT, offset));
        };
        assertThat(port.lend(BAR0, 0x2000, 0x1000, borrower)).isTrue();
        assertThat(lent).hasValue(0x12345678);
        assertThat(port.lend(BAR0, 0, 0x1000, borrower)).isTrue();
        lent.set(0);
        assertThat(port.lend(BAR0, 0, 0x1001, borrower)).as("it reaches into the claim").isFalse();
        assertThat(port.lend(BAR0, 0x1000, 4, borrower)).as("claimed").isFalse();
        assertThat(port.lend(BAR0, 0x3000, 4, borrower)).as("a register").isFalse();
        assertThat(port.lend(BAR0, 0x2FFE, 4, borrower)).as("it reaches into one").isFalse();
        assertThat(port.lend(RegionIndex.CONFIG, 0, 4, borrower)).isFalse();
        assertErrno(Errno.EINVAL, () -> port.lend(BAR0, 0xFFFE, 4, borrower));
        assertErrno(Errno.EINVAL, () -> port.lend(1, 0, 4, borrower));
        assertThat(lent).hasValue(0);
        AccessStats stats = one.function.stats();
        assertThat(stats.passedThrough()).as("the write and two loans").isEqualTo(3);
        assertThat(stats.errors()).isEqualTo(2);
        device.close();
        assertErrno(Errno.EBADF, () -> port.lend(BAR0, 0, 4, borrower));
    }

    @Test
    void keepsMemoryThatIsLentWhenTheDeviceIsClosedMeanwhile() throws VfioException {
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, BAR0, 0x2000, 0x12345678);
        AtomicInteger lent = new AtomicInteger();
        AtomicReference<MemorySegment> kept = new AtomicReference<>();
        assertThat(port.lend(BAR0, 0x2000, 4, (memory, offset, _) -> {
            device.close();
            lent.set(memory.get(ValueLayout.JAVA_INT, offset));
            kept.set(memory);
        })).isTrue();
        assertThat(lent).hasValue(0x12345678);
        assertThat(kept.get().scope().isAlive()).as("and frees it then").isFalse();
    }

    @Test
    void refusesAPortThatWasGivenUp() throws VfioException {
        VfioDevice device = one.open();
        DevicePort port = device.port();
        port.close();
        port.close();
        assertErrno(Errno.EBADF, () -> read32(port, BAR0, 0));
        device.close();
    }

    /// Passes everything on, and says what it saw.
    private static final class Watching extends Mediation {
        final List<String> seen = new ArrayList<>();
        private final List<Claim> claims;

        Watching(Claim... claims) {
            this.claims = List.of(claims);
        }

        @Override
        public List<Claim> claims() {
            return claims;
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment into, long bufferOffset, int count) {
            seen.add("r %d 0x%x %d".formatted(region, offset, count));
            return Verdict.PASS_THROUGH;
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment from, long bufferOffset, int count) {
            seen.add("w %d 0x%x %d".formatted(region, offset, count));
            return Verdict.PASS_THROUGH;
        }
    }

    @Test
    void showsAnAccessThatOverlapsAClaimWhole() throws VfioException {
        Watching watching = new Watching(Claim.of(BAR0, 0x4004, 4), Claim.of(BAR0, 0x5000, 0x100), Claim.of(RegionIndex.CONFIG, 4, 2));
        one.accepting("watching", context -> watching);
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, BAR0, 0x4000, 1);
        write32(port, BAR0, 0x4008, 2);
        port.write(BAR0, 0x4000, buffer, 0, 5);
        port.read(BAR0, 0x4007, buffer, 0, 1);
        port.read(BAR0, 0x4000, buffer, 0, 0x2000);
        port.read(RegionIndex.CONFIG, 0, buffer, 0, 16);
        port.read(RegionIndex.CONFIG, 6, buffer, 0, 2);
        port.read(3, 0x4, buffer, 0, 4);
        assertThat(watching.seen).containsExactly("w 0 0x4000 5", "r 0 0x4007 1", "r 0 0x4000 8192", "r 7 0x0 16");
        assertThat(one.hardware.accesses).as("all passed on").hasValue(6);
        AccessStats stats = one.function.stats();
        assertThat(stats.mediated()).isEqualTo(4);
        assertThat(stats.passedThrough()).isEqualTo(4);
        assertThat(stats.errors()).isZero();
        device.close();
    }

    @Test
    void letsTheMediationHandleWhatItClaims() throws VfioException {
        AnsweringMediation mediation = new AnsweringMediation(Claim.of(BAR0, 0x4000, 4));
        one.accepting("answering", context -> mediation);
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, BAR0, 0x4000, 0x1111);
        assertThat(read32(port, BAR0, 0x4000)).isEqualTo(0xA5A5A5A5);
        assertThat(one.hardware.accesses).hasValue(0);
        assertThat(mediation.writes).hasValue(1);
        write32(port, BAR0, 0x4004, 0x2222);
        assertThat(read32(port, BAR0, 0x4004)).isEqualTo(0x2222);
        assertThat(one.hardware.accesses).hasValue(2);
        device.close();
    }

    @Test
    void letsTheMediationRefuse() throws VfioException {
        one.accepting("refusing", context -> new AnsweringMediation(Claim.of(BAR0, 0x4000, 4)) {
            @Override
            public Verdict read(int region, long offset, MemorySegment into, long bufferOffset, int count) throws VfioException {
                throw new VfioException(Errno.EPERM, "register=0x4000");
            }
        });
        VfioDevice device = one.open();
        DevicePort port = device.port();
        assertErrno(Errno.EPERM, () -> read32(port, BAR0, 0x4000));
        AccessStats stats = one.function.stats();
        assertThat(stats.errors()).isEqualTo(1);
        assertThat(stats.mediated()).isEqualTo(1);
        assertThat(one.function.status().isolated()).isEmpty();
        device.close();
    }

    @Test
    void goesByNewClaimsFromWhenTheyAreMade() throws VfioException {
        AtomicReference<MediationContext> context = new AtomicReference<>();
        AnsweringMediation mediation = new AnsweringMediation();
        one.accepting("late", offered -> {
            context.set(offered);
            return mediation;
        });
        VfioDevice device = one.open();
        DevicePort port = device.port();
        assertThat(read32(port, BAR0, 0x4000)).isZero();
        context.get().claim(List.of(Claim.of(BAR0, 0x4000, 0x10)));
        assertThat(read32(port, BAR0, 0x4000)).isEqualTo(0xA5A5A5A5);
        context.get().claim(List.of(Claim.of(BAR0, 0x5000, 0x10)));
        assertThat(read32(port, BAR0, 0x4000)).isZero();
        assertThat(read32(port, BAR0, 0x5000)).isEqualTo(0xA5A5A5A5);
        assertThatThrownBy(() -> context.get().claim(List.of(Claim.whole(0x1_0000)))).isInstanceOf(IllegalArgumentException.class);
        assertThat(read32(port, BAR0, 0x5000)).as("the claims stay as they were").isEqualTo(0xA5A5A5A5);
        context.get().claim(List.of());
        assertThat(read32(port, BAR0, 0x5000)).isZero();
        device.close();
        assertThatThrownBy(() -> context.get().claim(List.of(Claim.of(BAR0, 0, 1)))).isInstanceOf(IllegalStateException.class);
    }

    /// Makes BAR0 longer than it is; answers only its first new page.
    private static final class Stretching extends AnsweringMediation {
        Stretching() {
            super(Claim.of(BAR0, 0x10000, 0x1000));
        }

        @Override
        public RegionInfo regionInfo(RegionInfo defaults) {
            return defaults.index() == BAR0 ? defaults.withSize(0x20000) : defaults;
        }
    }

    @Test
    void reachesPastARegionsOwnSizeOnlyWhereTheMediationAnswers() throws VfioException {
        one.accepting("stretching", context -> new Stretching());
        VfioDevice device = one.open();
        DevicePort port = device.port();
        assertThat(device.regionInfo(BAR0).size()).isEqualTo(0x20000);
        assertThat(read32(port, BAR0, 0x10000)).isEqualTo(0xA5A5A5A5);
        assertErrno(Errno.EINVAL, () -> read32(port, BAR0, 0x11000));
        assertErrno(Errno.EINVAL, () -> read32(port, BAR0, 0x20000));
        one.goes(one.mediators.getFirst());
        assertErrno(Errno.EINVAL, () -> read32(port, BAR0, 0x10000));
        assertThat(device.regionInfo(BAR0).size()).isEqualTo(0x10000);
        device.close();
    }

    /// Inverts what is below it.
    private static final class Inverting extends AnsweringMediation {
        private final MediationContext context;

        Inverting(MediationContext context) {
            super(Claim.of(BAR0, 0x4000, 4));
            this.context = context;
        }

        @Override
        public Verdict read(int region, long offset, MemorySegment into, long bufferOffset, int count) throws VfioException {
            context.readBelow(region, offset, into, bufferOffset, count);
            into.set(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset,
                ~into.get(ValueLayout.JAVA_INT_UNALIGNED, bufferOffset));
            return Verdict.HANDLED;
        }

        @Override
        public Verdict write(int region, long offset, MemorySegment from, long bufferOffset, int count) throws VfioException {
            context.writeBelow(region, offset, from, bufferOffset, count);
            return Verdict.HANDLED;
        }
    }

    @Test
    void letsTheMediationUseTheBehaviourBelowIt() throws VfioException {
        AtomicReference<MediationContext> context = new AtomicReference<>();
        one.accepting("inverting", offered -> {
            context.set(offered);
            return new Inverting(offered);
        });
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, BAR0, 0x4000, 0x0F0F0F0F);
        assertThat(read32(port, BAR0, 0x4000)).isEqualTo(0xF0F0F0F0);
        assertErrno(Errno.EINVAL, () -> context.get().readBelow(BAR0, 0xFFFE, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> context.get().writeBelow(1, 0, buffer, 0, 4));
        assertErrno(Errno.EINVAL, () -> context.get().regionInfoBelow(20));
        assertThat(context.get().regionInfoBelow(BAR0).size()).isEqualTo(0x10000);
        device.close();
        assertErrno(Errno.EOPNOTSUPP, () -> context.get().readBelow(BAR0, 0, buffer, 0, 4));
    }

    @Test
    void keepsThePinQuietWhileTheClientsCommandRegisterSaysSo() throws VfioException {
        VfioDevice device = one.open();
        DevicePort port = device.port();
        AtomicInteger signals = new AtomicInteger();
        device.setIrqTriggers(IrqIndex.INTX, 0, List.of(signals::incrementAndGet));
        write32(port, RegionIndex.CONFIG, 4, 0x400);
        one.hardware.lent.interrupts().intx(true);
        assertThat(signals).hasValue(0);
        write32(port, RegionIndex.CONFIG, 4, 0);
        assertThat(signals).hasValue(1);
        write32(port, RegionIndex.CONFIG, 4, 0x400);
        one.hardware.lent.interrupts().intx(false);
        device.reset();
        one.hardware.lent.interrupts().intx(true);
        assertThat(signals).as("a reset lets it signal again").hasValue(2);
        device.close();
    }

    @Test
    void countsAnAccessToATrappedAreaOnceMore() throws VfioException {
        one.accepting("trapping", context -> new TrappingMediation());
        VfioDevice device = one.open();
        DevicePort port = device.port();
        write32(port, BAR0, 0x1000, 1);
        write32(port, BAR0, 0x4000, 1);
        assertThat(one.function.stats().trapped()).as("always, for a client that may not map it").isEqualTo(1);
        assertThat(one.function.stats().passedThrough()).isEqualTo(2);
        device.close();
    }
}
