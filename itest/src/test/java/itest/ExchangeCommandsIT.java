// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Counting;
import itest.mediators.Declining;
import itest.mediators.Keeping;
import itest.mediators.Offering;
import itest.mediators.Setting;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.Exchange;
import vfio.pci.api.admin.MediatorPolicy;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.user.wire.client.VfioUserClient;

/** Mediators of open devices come late, are exchanged and are unloaded by command; and each policy, in a real Felix. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ExchangeCommandsIT {
    private static final String VF = SimulatedNic.VF0.toString();
    private static final int SWAPS = Boolean.getBoolean("vfio.nightly") ? 2000 : 100;

    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private CommandProcessor processor;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    @Inject
    private ServeAdmin transport;
    @Inject
    private ConfigurationAdmin configurations;
    @Rule
    public final ServedVfs served = new ServedVfs(() -> transport);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), vfioUser(), shell()};
    }

    @Before
    public void waitForTheNic() throws Exception {
        SimulatedNic.await(admin);
        type("vfio:policy " + VF + " pass-through");
    }

    private String type(String line) throws Exception {
        return new Gogo(processor).run(line);
    }

    private VfioDevice open() throws VfioException {
        return vfio.open(SimulatedNic.VF0, Client.standard("a client"));
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
        List<Duration> pauses = new ArrayList<>();
        try (VfioDevice device = open(); var threads = new AccessingThreads(device, 1, thread -> new InOrder())) {
            for (int i = 0; i < SWAPS; i++) {
                threads.awaitRounds(20);
                boolean there = i % 2 == 0;
                Optional<PciAddress> devices = there ? Optional.of(SimulatedNic.VF0) : Optional.empty();
                List<Exchange> done = admin.swap(devices, there ? "counting:1.0.0" : "counting:2.0.0",
                    there ? "counting:2.0.0" : "counting:1.0.0");
                assertThat(done).singleElement().satisfies(exchange -> assertThat(exchange.failure()).isEmpty());
                pauses.add(done.getFirst().pause());
            }
            assertThat(type("vfio:swap " + VF + " counting:1.0.0 counting:2.0.0")).contains(VF, "done");
            assertThat(type("vfio:swap --all counting:2.0.0 counting:1.0.0")).contains(VF, "done");
            threads.awaitRounds(20);
        }
        assertThat(mediators.number(Setting.LATE, "counting")).hasValue(0);
        assertThat(mediators.number(Setting.CLOSED, "counting")).hasValue(SWAPS + 3);
        pauses.sort(null);
        System.out.printf(Locale.ROOT, "swaps in process: %d, in ms p50=%.2f p99=%.2f longest=%.2f%n", SWAPS,
            pauses.get(SWAPS / 2).toNanos() / 1e6, pauses.get((SWAPS - 1) * 99 / 100).toNanos() / 1e6, pauses.getLast().toNanos() / 1e6);
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
            assertThatThrownBy(() -> type("vfio:unload counting")).hasMessageContaining(VF).hasMessageContaining("a client");
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
    public void whatAFrozenDevicesMediatorKeptIsItsSuccessors() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Keeping.class).named("m"));
        try (VfioDevice device = open(); var threads = new AccessingThreads(device, 1, thread -> new InOrder())) {
            type("vfio:policy " + VF + " freeze");
            for (int i = 0; i < 20; i++) {
                threads.awaitRounds(20);
                bundle.stop();
                bundle.start();
            }
            threads.awaitRounds(20);
            mediators.start(MediatorBundle.of(Keeping.class).named("another"));
            bundle.stop();
            threads.awaitRounds(20);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).as("it was there already").contains("another");
            bundle.start();
            type("vfio:rebind " + VF + " m");
            threads.awaitRounds(20);
            type("vfio:swap " + VF + " m another");
            threads.awaitRounds(20);
        }
    }

    @Test
    public void noLoopWaitsForADeviceThatIsFrozen() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        type("vfio:policy " + VF + " freeze");
        try (var frozen = VfioUserClient.connect(served.socket(SimulatedNic.VF0));
                var other = VfioUserClient.connect(served.socket(SimulatedNic.VF1))) {
            assertThat(readOver(frozen)).isEqualTo(0xA1);
            bundle.stop();
            CompletableFuture<Integer> waiting = CompletableFuture.supplyAsync(() -> readOver(frozen));
            for (int i = 0; i < 100; i++) {
                assertThat(readOver(other)).isEqualTo(Registers.VFACTIVE);
            }
            assertThat(waiting).isNotDone();
            bundle.start();
            assertThat(waiting.get(10, TimeUnit.SECONDS)).isEqualTo(0xA1);
        }
    }

    private static int readOver(VfioUserClient client) {
        MemorySegment buffer = Arena.ofAuto().allocate(Integer.BYTES);
        try {
            client.read(RegionIndex.BAR0, Registers.VFGEN_RSTAT, buffer, 0, Integer.BYTES);
        } catch (VfioException e) {
            throw new IllegalStateException(e);
        }
        return buffer.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }

    @Test
    public void aConfiguredPolicyHoldsAtOnce() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Answering.class).named("m").answering(0xA1));
        org.osgi.service.cm.Configuration configured = configurations.getFactoryConfiguration("vfio.pci.device", "policies", "?");
        try (VfioDevice device = open()) {
            for (MediatorPolicy policy : List.of(MediatorPolicy.REFUSE, MediatorPolicy.FREEZE, MediatorPolicy.DETACH)) {
                var properties = new Hashtable<String, Object>(Map.of("address", VF, "policy", policy.toString()));
                configured.update(properties);
                Await.until("policy " + policy, () -> admin.policy(SimulatedNic.VF0) == policy);
                if (policy == MediatorPolicy.REFUSE) {
                    assertThatThrownBy(() -> type("vfio:unload m")).hasMessageContaining(VF);
                }
            }
            var gone = new AtomicInteger();
            device.onGone(gone::incrementAndGet);
            bundle.stop();
            assertThat(gone).as("the last that was said, of an open device").hasValue(1);
        } finally {
            configured.delete();
        }
        Await.until("the policy of before", () -> admin.policy(SimulatedNic.VF0) == MediatorPolicy.PASS_THROUGH);
    }

    @Test
    public void aClientGoesOnWithWhatAMediatorAdded() throws Exception {
        mediators.start(MediatorBundle.of(Offering.class).named("offering"));
        mediators.start(MediatorBundle.of(Offering.class).named("next"));
        Bundle unlike = mediators.start(MediatorBundle.of(Answering.class).named("unlike").answering(0xA1));
        try (VfioDevice device = open(); var client = new OfferingClient(device)) {
            client.useEverything();
            for (String mediator : List.of("next", "offering", "next")) {
                assertThat(type("vfio:rebind " + VF + " " + mediator)).contains(mediator, "done").doesNotContain("region=");
                client.useWhatIsTheSameAfterwards();
            }
            assertThat(type("vfio:rebind " + VF + " unlike")).contains("region=" + OfferingClient.REGION + " is empty now");
            assertThat(type("vfio:rebind " + VF + " offering")).contains("done").doesNotContain("region=");
            client.useWhatIsTheSameAfterwards();
            unlike.stop();
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
