// SPDX-License-Identifier: Apache-2.0
package vfio.pci.core.device;

import static org.assertj.core.api.Assertions.assertThat;
import static vfio.pci.core.device.OneDevice.await;
import static vfio.pci.core.device.OneDevice.read32;
import static vfio.pci.core.device.OneDevice.write32;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.device.DevicePort;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.mediation.Claim;
import vfio.pci.core.VfioErrors;
import vfio.pci.core.binding.Mediator;
import vfio.pci.core.binding.MediatorStack;

/// Several mediations on one device, each over the next.
class StackTest {
    private static final long REGISTER = 0x5000;
    private static final long OTHER = 0x5100;

    private final OneDevice one = new OneDevice();
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        one.close();
    }

    private Layered layered(String name, Claim... claims) {
        Layered mediation = new Layered(name, log, claims);
        one.mediator(name, (asked, context) -> Optional.of(mediation.in(context)));
        return mediation;
    }

    private static Claim claim(long register) {
        return Claim.of(0, register, 4);
    }

    private void declare(String... names) {
        one.function.declare(new MediatorStack(List.of(names)));
    }

    private Mediator named(String name) {
        return one.mediators.stream().filter(mediator -> mediator.identity().name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void withoutAWordTheFirstThatAcceptsIsTheOnlyOne() throws VfioException {
        layered("first", claim(REGISTER));
        layered("second", claim(REGISTER));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("first read");
            assertThat(one.function.status().mediator()).contains("first");
        }
    }

    @Test
    void anAccessGoesDownTheLayersThatClaimIt() throws VfioException {
        layered("bottom", claim(REGISTER), claim(OTHER));
        layered("middle", claim(OTHER));
        layered("top", claim(REGISTER));
        declare("top", "middle", "*");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            write32(port, 0, REGISTER, 7);
            assertThat(read32(port, 0, REGISTER)).isEqualTo(7);
            assertThat(log).containsExactly("top write", "bottom write", "top read", "bottom read");
            log.clear();
            read32(port, 0, OTHER);
            assertThat(log).containsExactly("middle read", "bottom read");
            log.clear();
            read32(port, 0, 0x5200);
            assertThat(log).isEmpty();
            assertThat(one.function.status().mediator()).contains("top over middle over bottom");
            assertThat(one.function.stats().mediated()).isEqualTo(3);
            assertThat(one.function.stats().passedThrough()).isEqualTo(1);
        }
        assertThat(log).as("the highest first, which may use those below it").containsExactly("top close", "middle close", "bottom close");
    }

    @Test
    void oneThatHandlesAnAccessKeepsItFromThoseBelow() throws VfioException {
        Layered bottom = layered("bottom", claim(REGISTER));
        Layered top = layered("top", claim(REGISTER));
        top.answers = 0x77;
        bottom.answers = 0x11;
        declare("top");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            assertThat(read32(port, 0, REGISTER)).isEqualTo(0x77);
            assertThat(log).containsExactly("top read");
        }
    }

    @Test
    void belowALayerIsTheNextAndBelowTheLastTheDevice() throws VfioException {
        Layered bottom = layered("bottom", claim(REGISTER));
        Layered middle = layered("middle", claim(REGISTER));
        Layered top = layered("top", claim(REGISTER));
        top.asksBelow = true;
        middle.asksBelow = true;
        bottom.asksBelow = true;
        declare("top", "middle", "bottom", "-");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            write32(port, 0, REGISTER, 0x1234);
            assertThat(read32(port, 0, REGISTER)).isEqualTo(0x1234);
            assertThat(log).containsExactly("top write", "middle write", "bottom write", "top read", "middle read", "bottom read");
            log.clear();
            bottom.answers = 5;
            assertThat(read32(port, 0, REGISTER)).isEqualTo(5);
            middle.context.claim(List.of());
            log.clear();
            assertThat(read32(port, 0, REGISTER)).isEqualTo(5);
            assertThat(log).as("a layer that does not claim it is not asked").containsExactly("top read", "bottom read");
        }
    }

    @Test
    void anErrorBelowIsTheAnswerAbove() throws VfioException {
        Layered bottom = layered("bottom", claim(REGISTER));
        Layered top = layered("top", claim(REGISTER));
        bottom.refuses = true;
        declare("top");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            VfioErrors.assertErrno(Errno.EACCES, () -> read32(port, 0, REGISTER));
            top.asksBelow = true;
            VfioErrors.assertErrno(Errno.EACCES, () -> read32(port, 0, REGISTER));
        }
    }

    @Test
    void aLayerThatGoesLeavesTheOthers() throws VfioException {
        layered("bottom", claim(REGISTER));
        Layered middle = layered("middle", claim(REGISTER));
        layered("top", claim(REGISTER));
        declare("top", "middle");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.goes(named("middle"));
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("top read", "bottom read");
            assertThat(one.function.status().mediator()).contains("top over bottom");
            assertThat(middle.closes).hasValue(1);
            VfioErrors.assertErrno(Errno.EOPNOTSUPP, () -> middle.context.trap(true));
        }
    }

    @Test
    void oneThatComesAgainGetsItsPlace() throws VfioException {
        layered("bottom", claim(REGISTER));
        layered("middle", claim(REGISTER));
        layered("top", claim(REGISTER));
        declare("top", "middle");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            one.goes(named("middle"));
            layered("middle", claim(REGISTER));
            Exchange exchange = one.function.rebind(one.mediators);
            assertThat(exchange.mediator()).contains("top over middle over bottom");
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("top read", "middle read", "bottom read");
        }
    }

    @Test
    void anOpenDeviceGetsALayerOverTheOneItHas() throws VfioException {
        Layered bottom = layered("bottom", claim(REGISTER));
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            layered("tracer", claim(REGISTER));
            declare("tracer");
            one.function.rebind(one.mediators);
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("tracer read", "bottom read");
            declare("*");
            one.function.rebind(one.mediators);
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("bottom read");
            assertThat(bottom.closes).hasValue(0);
        }
    }

    @Test
    void theOrderCanBeTurnedUnderAClient() throws VfioException {
        Layered lower = layered("one", claim(REGISTER));
        Layered upper = layered("two", claim(REGISTER));
        declare("two", "one", "-");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            declare("one", "two", "-");
            one.function.rebind(one.mediators);
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("two read", "one read", "one read", "two read");
            assertThat(lower.closes.get() + upper.closes.get()).isZero();
            lower.asksBelow = true;
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("one read", "two read");
        }
    }

    @Test
    void aLayerIsSwappedInItsPlace() throws VfioException {
        Layered bottom = layered("bottom", claim(REGISTER));
        layered("middle", claim(REGISTER));
        layered("top", claim(REGISTER));
        declare("top", "middle");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            layered("better", claim(REGISTER));
            List<Exchange> done = MediatorSwap.eachAlone(List.of(one.function), named("middle"), named("better"));
            assertThat(done.getFirst().failure()).isEmpty();
            assertThat(done.getFirst().mediator()).contains("top over better over bottom");
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("top read", "better read", "bottom read");
            assertThat(bottom.closes).hasValue(0);
            List<Exchange> twice = MediatorSwap.eachAlone(List.of(one.function), named("better"), named("top"));
            assertThat(twice.getFirst().failure()).hasValueSatisfying(why -> assertThat(why).contains("another layer"));
            assertThat(twice.getFirst().mediator()).contains("top over better over bottom");
        }
    }

    @Test
    void faultsOfOneLayerUnbindThatOne() throws VfioException {
        layered("bottom", claim(REGISTER));
        Layered middle = layered("middle", claim(REGISTER));
        Layered top = layered("top", claim(REGISTER));
        declare("top", "middle");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            middle.throwsUp = true;
            top.asksBelow = true;
            for (int i = 0; i < one.settings.mostFaults(); i++) {
                VfioErrors.assertErrno(Errno.EIO, () -> read32(port, 0, REGISTER));
            }
            await("the faulty one is unbound", () -> middle.closes.get() == 1);
            await("the others show", () -> one.function.status().mediator().equals(Optional.of("top over bottom")));
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("top read", "bottom read");
        }
    }

    @Test
    void aResetIsToldFromTheLowestUp() throws VfioException {
        layered("bottom");
        layered("top");
        declare("top");
        try (VfioDevice handle = one.open()) {
            handle.reset();
            assertThat(log).containsExactly("bottom reset", "top reset");
        }
    }

    @Test
    void aPlaceThatNobodyIsThereForStaysFree() throws VfioException {
        layered("bottom", claim(REGISTER));
        declare("absent");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("bottom read");
            layered("absent", claim(REGISTER));
            one.function.rebind(one.mediators);
            log.clear();
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("absent read", "bottom read");
        }
    }

    @Test
    void oneThatIsDeclaredElsewhereIsNotWhoeverAccepts() throws VfioException {
        layered("guard", claim(REGISTER));
        declare("guard");
        try (VfioDevice handle = one.open(); DevicePort port = handle.port()) {
            read32(port, 0, REGISTER);
            assertThat(log).containsExactly("guard read");
            assertThat(one.function.status().mediator()).contains("guard");
        }
    }
}
