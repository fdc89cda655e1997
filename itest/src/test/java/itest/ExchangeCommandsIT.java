// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Counting;
import itest.mediators.Declining;
import itest.mediators.Setting;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.VfioDevice;

/** Mediators of open devices come late, are exchanged and are unloaded by command; and each policy, in a real Felix. */
public class ExchangeCommandsIT extends AtTheConsole {
    private static final String VF = SimulatedNic.VF0.toString();

    /** A mediator comes back within that, whatever else the machine does. */
    private static final long FREEZE_MILLIS = 30_000;

    @Override
    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), configuration("vfio.pci.core", Map.of("freezeMillis", FREEZE_MILLIS)), core(), simulatedNic(),
            shell()};
    }

    @Before
    public void passThrough() throws Exception {
        type("vfio:policy " + VF + " pass-through");
    }

    private Bundle counting(String version, int how) throws Exception {
        return mediators.start(MediatorBundle.of(Counting.class).named("counting").bundled("itest.counting." + version).version(version)
            .answering(how));
    }

    // ---- swap

    @Test
    public void aSwapLosesNoReadAndCountsNoneTwice() throws Exception {
        counting("1.0.0", Counting.RIGHT);
        counting("2.0.0", Counting.RIGHT);
        try (VfioDevice device = open(); var threads = new AccessingThreads(device, 1, thread -> new InOrder())) {
            for (int i = 0; i < 50; i++) {
                threads.awaitRounds(20);
                String answer = type(i % 2 == 0 ? "vfio:swap " + VF + " counting:1.0.0 counting:2.0.0"
                    : "vfio:swap --all counting:2.0.0 counting:1.0.0");
                assertThat(answer).contains(VF, "done");
            }
            threads.awaitRounds(20);
        }
        assertThat(mediators.number(Setting.LATE, "counting")).hasValue(0);
        assertThat(mediators.number(Setting.CLOSED, "counting")).hasValue(51);
    }

    @Test
    public void theNewOneTakesTheOldOnesPlace() throws Exception {
        counting("1.0.0", Counting.RIGHT);
        mediators.start(MediatorBundle.of(Answering.class).named("other"));
        counting("2.0.0", Counting.RIGHT);
        try (VfioDevice _ = open()) {
            type("vfio:swap " + VF + " counting:1.0.0 counting:2.0.0");
            assertThat(admin.mediators()).extracting(MediatorStatus::bundle)
                .containsExactly("itest.counting.2.0.0 2.0.0", "itest.counting.1.0.0 1.0.0", "itest.mediator.other 1.0.0");
        }
    }

    @Test
    public void aVersionThatFailsIsRolledBackAndALineSaysWhy() throws Exception {
        counting("1.0.0", Counting.RIGHT);
        try (VfioDevice device = open(); var threads = new AccessingThreads(device, 1, thread -> new InOrder())) {
            for (int how : List.of(Counting.REFUSES, Counting.THROWS, Counting.HANGS, Counting.CORRUPTS)) {
                Bundle failing = counting("2.0." + how, how);
                threads.awaitRounds(20);
                try (LoggedLines log = new LoggedLines()) {
                    assertThatThrownBy(() -> type("vfio:swap " + VF + " counting:1.0.0 counting:2.0." + how)).as("way %d", how)
                        .hasMessageContaining("go on as before");
                    assertThat(log.with("did not take over")).as("way %d", how).hasSize(1);
                }
                threads.awaitRounds(20);
                assertThat(admin.device(SimulatedNic.VF0).isolated()).isEmpty();
                failing.stop();
            }
        }
    }

    @Test
    public void aSwapOfWhatIsNotThereSaysSo() throws Exception {
        counting("1.0.0", Counting.RIGHT);
        try (VfioDevice _ = open()) {
            assertThatThrownBy(() -> type("vfio:swap " + VF + " counting none")).hasMessageContaining("none");
            assertThatThrownBy(() -> type("vfio:swap " + VF + " none counting")).hasMessageContaining("none");
            assertThatThrownBy(() -> type("vfio:swap --every counting none")).hasMessageContaining("option=--every");
        }
        assertThatThrownBy(() -> type("vfio:swap " + VF + " counting none")).hasMessageContaining("expected=");
    }

    // ---- rebind, renew, unload

    @Test
    public void anOpenDeviceGetsAMediatorThatCameLater() throws Exception {
        try (VfioDevice device = open(); Registers registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
            assertThatThrownBy(() -> type("vfio:rebind " + VF)).hasMessageContaining("expected=a mediator that accepts it");
            mediators.start(MediatorBundle.of(Declining.class).named("declining"));
            mediators.start(MediatorBundle.of(Answering.class).named("late").answering(0xA1));
            assertThat(type("vfio:rebind " + VF)).contains("late");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
            mediators.start(MediatorBundle.of(Answering.class).named("later").answering(0xA2));
            assertThat(type("vfio:rebind " + VF + " later")).contains("later");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA2);
            assertThatThrownBy(() -> type("vfio:rebind " + VF + " declining")).hasMessageContaining("declining of");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA2);
            assertThat(mediators.number(Setting.CLOSED, "late")).hasValue(1);
        }
        assertThatThrownBy(() -> type("vfio:rebind " + VF)).hasMessageContaining("somebody has open");
    }

    @Test
    public void aFunctionIsBoundAfreshBehindAnOpenDevice() throws Exception {
        counting("1.0.0", Counting.RIGHT);
        try (VfioDevice device = open(); Registers registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(1);
            assertThat(type("vfio:renew " + VF)).contains("done");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(2);
        }
    }

    @Test
    public void unloadStopsABundleUnlessADeviceOfItRefuses() throws Exception {
        Bundle bundle = counting("1.0.0", Counting.RIGHT);
        try (VfioDevice device = open(); Registers registers = new Registers(device)) {
            assertThat(type("vfio:policy " + VF + " refuse")).contains("refuse");
            assertThatThrownBy(() -> type("vfio:unload counting")).hasMessageContaining(VF).hasMessageContaining("itest");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(1);
            type("vfio:policy " + VF + " pass-through");
            assertThat(type("vfio:unload counting")).contains("stopped counting");
            assertThat(bundle.getState()).isEqualTo(Bundle.RESOLVED);
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        }
    }

    // ---- policies

    @Test
    public void frozenAccessesWaitForTheNextMediator() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        try (VfioDevice device = open();
                var threads = new AccessingThreads(device, 2, thread -> registers ->
                    assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1))) {
            type("vfio:policy " + VF + " freeze");
            for (int i = 0; i < 20; i++) {
                threads.awaitRounds(20);
                bundle.stop();
                bundle.start();
            }
            threads.awaitRounds(20);
        }
    }

    @Test
    public void detachedClientsAreToldAndTheDeviceCanBeOpenedAnew() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        AtomicInteger gone = new AtomicInteger();
        try (VfioDevice device = open()) {
            device.setIrqTriggers(IrqIndex.REQ, 0, List.of(asked::incrementAndGet));
            device.setIrqTriggers(IrqIndex.ERR, 0, List.of(failed::incrementAndGet));
            device.onGone(gone::incrementAndGet);
            type("vfio:policy " + VF + " detach");
            bundle.stop();
            assertThat(List.of(asked.get(), failed.get(), gone.get())).containsExactly(1, 1, 1);
        }
        try (VfioDevice device = open(); Registers registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        }
    }

    @Test
    public void aPolicyThatIsNoneIsRefused() {
        assertThatThrownBy(() -> type("vfio:policy " + VF + " vanish"))
            .hasMessageContaining("policy=vanish expected=one of pass-through, freeze, detach, refuse");
    }

    /** Reads count up by one. */
    private static final class InOrder implements AccessingThreads.Round {
        private int last;

        @Override
        public void run(Registers registers) throws VfioException {
            int now = registers.read(Registers.VFGEN_RSTAT);
            assertThat(now).isEqualTo(last + 1);
            last = now;
        }
    }
}
