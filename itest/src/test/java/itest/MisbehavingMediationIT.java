// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.MediatorBundle;
import itest.mediators.Faulty;
import itest.mediators.Setting;
import itest.mediators.Sleeping;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.After;
import org.junit.Test;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.VfioDevice;

/** A mediation that sleeps, hangs or fails hurts the device it mediates and no other. */
public class MisbehavingMediationIT extends OnTheNic {
    private static final Duration DRAIN_TIMEOUT = Duration.ofMillis(300);
    /** Times are compared by a machine that does nothing else. */
    private static final boolean NIGHTLY = Boolean.getBoolean("vfio.nightly");
    private static final Duration MEASURED = NIGHTLY ? Duration.ofSeconds(2) : Duration.ofMillis(200);
    private static final int USES = 500;
    private static final int MOST_FAULTS = 5;

    @Override
    @Configuration
    public Option[] runtime() {
        Map<String, Object> settings = Map.of("drainTimeoutMillis", DRAIN_TIMEOUT.toMillis(), "mostMediationFaults", MOST_FAULTS);
        return new Option[] {felix(), configuration("vfio.pci.core", settings), core(), simulatedNic()};
    }

    @After
    public void wakeEverybody() {
        wake();
    }

    @Test
    public void oneThatSleepsDelaysNoOtherDevice() throws Exception {
        mediators.start(MediatorBundle.of(Sleeping.class).named("sleeping"));
        try (VfioDevice sleeping = open(SimulatedNic.VF0); VfioDevice other = open(SimulatedNic.VF1)) {
            var use = new OrdinaryUse(vfio, admin, other);
            Latencies before = Latencies.measure(MEASURED, use);
            try (var sleeper = new AccessingThreads(sleeping, 1, thread -> registers -> registers.read(Registers.VFGEN_RSTAT))) {
                sendToSleep();
                awaitOneAsleep();
                Latencies during = Latencies.measure(MEASURED, use);
                for (int i = 0; i < USES; i++) {
                    use.run();
                }
                other.reset();
                // Who waits for the sleeper waits until it sleeps no more.
                assertThat(mediators.number(Setting.INSIDE, "sleeping")).as("it sleeps still").hasValue(1);
                if (NIGHTLY) {
                    // Locks that its own device's threads hold for a moment.
                    assertThat(during.waited()).as("spent waiting for anybody").isLessThan(MEASURED.dividedBy(10));
                    assertThat(during.quietWorst()).as("worst of a quiet while, with a sleeper and without")
                        .isLessThan(before.quietWorst().plusMillis(10));
                }
                wake();
            }
        }
    }

    @Test
    public void oneThatHangsIsGivenUpAndItsDeviceIsolatedUntilItEnds() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Sleeping.class).named("hanging"));
        try (VfioDevice device = open(SimulatedNic.VF0); var registers = new Registers(device);
                VfioDevice other = open(SimulatedNic.VF1); var otherRegisters = new Registers(other)) {
            sendToSleep();
            var hanging = new AccessingThreads(device, 1, thread -> own -> own.read(Registers.VFGEN_RSTAT));
            awaitOneAsleep();
            var classes = new BundleClasses(bundle);
            long begun = System.nanoTime();
            mediators.uninstall(bundle);
            bundle = null;
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(DRAIN_TIMEOUT);

            Await.until("it is interrupted",
                () -> mediators.number(Sleeping.INTERRUPTED, SimulatedNic.VF0.toString()).get() == 1);
            assertThat(stuck()).singleElement().satisfies(thread -> {
                assertThat(thread.device()).isEqualTo(SimulatedNic.VF0);
                assertThat(thread.stack()).anyMatch(frame -> frame.contains("Sleeping"));
            });
            assertThat(admin.device(SimulatedNic.VF0).isolated()).isPresent();
            assertRefused(Errno.EIO, () -> registers.read(Registers.VFQF_HKEY));
            assertThat(otherRegisters.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);

            wake();
            assertThat(hanging.end()).singleElement().isInstanceOfSatisfying(VfioException.class,
                refusal -> assertThat(refusal.errno()).as("its result is discarded").isEqualTo(Errno.EIO));
            assertThat(mediators.board().takeJournal()).as("what it tried through its context").contains(Errno.EOPNOTSUPP.toString());
            assertThat(admin.mediators()).isEmpty();
            classes.awaitCollected();
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
            assertThat(admin.device(SimulatedNic.VF0).isolated()).isEmpty();
        }
    }

    @Test
    public void oneThatFailsAgainAndAgainIsUnbound() throws Exception {
        mediators.start(MediatorBundle.of(Faulty.class).named("faulty"));
        try (VfioDevice device = open(SimulatedNic.VF0); var registers = new Registers(device)) {
            for (int fault = 0; fault < MOST_FAULTS; fault++) {
                assertRefused(Errno.EIO, () -> registers.read(Registers.VFGEN_RSTAT));
            }
            // Not on the thread of the last fault, which is inside: the mediation is out of the way first, and closed a little later.
            Await.until("it is unbound and closed", () -> mediators.number(Setting.CLOSED, "faulty").get() == 1);
            assertThat(admin.device(SimulatedNic.VF0).mediator()).isEmpty();
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
            assertThat(admin.stats(SimulatedNic.VF0).errors()).isEqualTo(MOST_FAULTS);
            assertThat(mediators.number(Setting.LATE, "faulty")).hasValue(0);
        }
    }

    private void sendToSleep() {
        mediators.number(Sleeping.ASLEEP, SimulatedNic.VF0.toString()).set(1);
    }

    private void awaitOneAsleep() throws Exception {
        Await.until("a thread sleeps", () -> mediators.number(Sleeping.SLEEPERS, SimulatedNic.VF0.toString()).get() == 1);
    }

    private void wake() {
        mediators.number(Sleeping.ASLEEP, SimulatedNic.VF0.toString()).set(0);
    }

    private List<MediatorStatus.StuckThread> stuck() {
        return admin.mediators().stream().flatMap(mediator -> mediator.stuck().stream()).toList();
    }
}
