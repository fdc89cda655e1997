// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorGuard;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** A guard over mediator.i40e on virtual functions: by configuration on the first, by command on the second. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class StackedMediatorsIT {
    private static final String VF1 = SimulatedNic.VF1.toString();
    /** Length of a mailbox ring, and whether it is on: mediator.i40e and the guard both see it written. */
    private static final long VF_ARQLEN1 = 0x8000;
    private static final int DENIED = 0x200;
    private static final List<Long> OWN = List.of(Registers.VF_ARQBAH1, Registers.VF_ARQBAL1);
    private static final long SOME_ROUNDS = 100;

    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private CommandProcessor processor;

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(),
            configuration("vfio.pci.device~vf0", Map.of("address", SimulatedNic.VF0.toString(), "mediators", "guard-vf")),
            core(), simulatedNic(), mediatorI40e(), shell(),
            configuration("mediator.guard~vf", Map.of("devices", SimulatedNic.VF0 + ", " + SimulatedNic.VF1, "service.ranking", "-1",
                "rule.1", "deny write bar0:0x8000 value=0x1-0x3ff",
                "rule.2", "deny write bar0:0x6000 value=0xdead0000-0xdeadffff")),
            mediatorGuard()};
    }

    @Before
    public void waitForTheNicAndItsMediators() throws Exception {
        SimulatedNic.await(admin);
        awaitMediators("i40e", "guard-vf");
    }

    private void awaitMediators(String... names) throws Exception {
        Await.until("these are there: " + List.of(names),
            () -> admin.mediators().stream().map(MediatorStatus::name).toList().containsAll(List.of(names)));
    }

    private String type(String line) throws Exception {
        return new Gogo(processor).run(line);
    }

    private VfioDevice open(PciAddress address) throws VfioException {
        return vfio.open(address, Client.standard("itest"));
    }

    private static void assertDenied(Registers registers) {
        assertThatThrownBy(() -> registers.write(VF_ARQLEN1, DENIED)).isInstanceOfSatisfying(VfioException.class,
            refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EACCES));
    }

    @Test
    public void theGuardsRulesBiteAndTheMediatorBelowSeesWhatPasses() throws Exception {
        Logger below = Logger.getLogger("mediator.i40e.VfMediation");
        below.setLevel(Level.FINE);
        try (LoggedLines log = new LoggedLines(Level.FINE); VfioDevice device = open(SimulatedNic.VF0);
                Registers registers = new Registers(device)) {
            assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("guard-vf over i40e");
            assertDenied(registers);
            assertThat(log.with("mailbox")).as("what the guard refuses is not seen below it").isEmpty();
            registers.write(VF_ARQLEN1, 0);
            assertThat(log.with("mailbox off")).hasSize(1);
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        } finally {
            below.setLevel(null);
        }
    }

    @Test
    public void theGuardGoesUnderAccessAndTheMediatorBelowGoesOn() throws Exception {
        Bundle guard = Arrays.stream(context.getBundles()).filter(bundle -> bundle.getSymbolicName().equals("mediator.guard")).findFirst()
            .orElseThrow();
        try (VfioDevice device = open(SimulatedNic.VF0); Registers registers = new Registers(device)) {
            try (var threads = new AccessingThreads(device, OWN.size(), StackedMediatorsIT::round)) {
                for (int i = 0; i < 5; i++) {
                    threads.awaitRounds(SOME_ROUNDS);
                    guard.stop();
                    assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("i40e");
                    threads.awaitRounds(SOME_ROUNDS);
                    guard.start();
                    awaitMediators("guard-vf");
                    assertThat(type("vfio:rebind " + SimulatedNic.VF0)).contains("guard-vf over i40e");
                }
                threads.awaitRounds(SOME_ROUNDS);
            }
            assertThat(admin.stats(SimulatedNic.VF0).errors()).isZero();
            assertDenied(registers);
            guard.stop();
            registers.write(VF_ARQLEN1, DENIED);
        } finally {
            guard.start();
        }
    }

    /** Each thread has a register of its own, which keeps what it wrote last; the status is always the device's. */
    private static AccessingThreads.Round round(int thread) {
        long register = OWN.get(thread);
        int[] written = {0};
        return registers -> {
            registers.write(register, ++written[0]);
            assertThat(registers.read(register)).isEqualTo(written[0]);
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        };
    }

    @Test
    public void layersAreShownAndDeclaredByCommand() throws Exception {
        assertThat(type("vfio:stack " + VF1)).contains("declared: *");
        try (VfioDevice device = open(SimulatedNic.VF1); Registers registers = new Registers(device)) {
            registers.write(VF_ARQLEN1, DENIED);
            assertThat(type("vfio:stack " + VF1 + " guard-vf")).contains("declared: guard-vf");
            type("vfio:rebind " + VF1);
            assertDenied(registers);
            assertThat(type("vfio:stack " + VF1).lines().map(line -> line.replaceAll(" +", " ")))
                .containsSequence("1 guard-vf guard-vf", "2 * i40e");
            assertThat(type("vfio:devices")).contains("guard-vf over i40e");
            assertThat(type("vfio:mediators")).contains("guard-vf over i40e");
            assertThat(type("vfio:stack -j " + VF1)).contains("\"declared\":[\"guard-vf\"]", "\"place\":\"*\",\"mediator\":\"i40e\"");
            assertThatThrownBy(() -> type("vfio:stack " + VF1 + " guard-vf guard-vf"))
                .hasMessageContaining("mediators=guard-vf,guard-vf expected=each one once");
            try (LoggedLines log = new LoggedLines()) {
                type("vfio:stack " + VF1 + " absent guard-vf");
                type("vfio:rebind " + VF1);
                assertThat(log.with("declared mediator absent is not there")).hasSize(1);
                assertDenied(registers);
            }
            type("vfio:stack " + VF1 + " '*'");
            type("vfio:rebind " + VF1);
            registers.write(VF_ARQLEN1, DENIED);
            assertThat(admin.device(SimulatedNic.VF1).mediator()).contains("i40e");
        }
        assertThat(type("vfio:help")).contains("vfio:stack");
    }
}
