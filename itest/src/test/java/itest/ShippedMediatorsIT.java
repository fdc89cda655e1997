// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.jar;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.mediatorIgd;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedIgd;
import static itest.options.RuntimeOptions.simulatedNic;
import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.NextVersion;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.After;
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
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.IrqIndex;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.mediation.MediateOps;

/** The mediators as they are shipped, exchanged for their next versions. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ShippedMediatorsIT {
    private static final PciAddress IGD = PciAddress.parse("0000:00:02.0");
    private static final long PATIENCE = 30_000;
    private static final int TRAP_INFO = RegionIndex.FIRST_SPECIFIC;
    private static final int TRAP_INFO_IRQ = IrqIndex.FIRST_SPECIFIC;
    private static final long TRAP = 4;
    private static final long BELOW_THE_AREA = 0x100;
    private static final long IN_THE_AREA = 0x8100;

    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private CommandProcessor processor;
    private Bundle next;

    @Configuration
    public Option[] runtime() {
        // A mediator comes within that, whatever else the machine does.
        return new Option[] {felix(), configuration("vfio.pci.core", Map.of("freezeMillis", PATIENCE, "drainTimeoutMillis", PATIENCE)),
            core(), simulatedIgd(), simulatedNic(), mediatorIgd(), mediatorI40e(), shell()};
    }

    @Before
    public void waitForTheDevices() throws Exception {
        SimulatedNic.await(admin);
        Await.until("the IGD appears", () -> admin.devices().stream().anyMatch(device -> device.address().equals(IGD)));
        Await.until("both mediators are there", () -> admin.mediators().size() == 2);
    }

    @After
    public void removeTheNextVersion() throws BundleException {
        if (next != null) {
            next.uninstall();
        }
        for (Bundle bundle : context.getBundles()) {
            if (bundle.getSymbolicName().startsWith("mediator.")) {
                bundle.start();
            }
        }
    }

    private String type(String line) throws Exception {
        return new Gogo(processor).run(line);
    }

    private Bundle bundle(String symbolicName) {
        return Arrays.stream(context.getBundles()).filter(each -> each.getSymbolicName().equals(symbolicName) && each != next).findFirst()
            .orElseThrow();
    }

    private Bundle startNext(String symbolicName) throws Exception {
        next = context.installBundle("itest:" + symbolicName + "-next", NextVersion.of(jar(symbolicName)));
        next.start();
        return next;
    }

    private MediatorStatus mediatorOf(Bundle bundle) {
        return admin.mediators().stream().filter(each -> each.bundleId() == bundle.getBundleId()).findFirst().orElseThrow();
    }

    private VfioDevice openIgd() throws Exception {
        return vfio.open(IGD, new Client("itest", EnumSet.allOf(Client.Feature.class)));
    }

    // ---- mediator.igd

    @Test
    public void theNextIgdGoesOnWithTheRegionTheInterruptAndTheTrappingOfTheOneBefore() throws Exception {
        Bundle present = bundle("mediator.igd");
        startNext("mediator.igd");
        try (VfioDevice device = openIgd(); var registers = new Registers(device)) {
            var told = new AtomicInteger();
            assertThat(device.regionInfo(TRAP_INFO).capabilities()).contains(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
            device.setIrqTriggers(TRAP_INFO_IRQ, 0, List.of(told::incrementAndGet));
            registers.read(BELOW_THE_AREA);
            assertThat(told).hasValue(1);
            int regions = device.info().regions();
            int irqs = device.info().irqs();
            Bundle from = present;
            Bundle to = next;
            for (int i = 0; i < 10; i++) {
                assertThat(type("vfio:swap " + IGD + " " + from.getBundleId() + " " + to.getBundleId())).contains("done");
                assertThat(mediatorOf(to).devices()).containsExactly(IGD);
                assertThat(mediatorOf(from).devices()).isEmpty();
                assertThat(registers.read(TRAP_INFO, TRAP)).as("the area traps").isEqualTo(1);
                assertThat(admin.device(IGD).trapping()).isTrue();
                assertThat(device.regionInfo(TRAP_INFO).capabilities()).contains(RegionCapability.Type.DYNAMIC_TRAP_BAR_INFO);
                assertThat(List.of(device.info().regions(), device.info().irqs())).containsExactly(regions, irqs);
                Bundle other = from;
                from = to;
                to = other;
            }
            int before = told.get();
            registers.write(IN_THE_AREA, 0);
            assertThat(registers.read(TRAP_INFO, TRAP)).isZero();
            assertThat(told).as("it was told of the end of trapping").hasValue(before + 1);
            type("vfio:swap " + IGD + " " + from.getBundleId() + " " + to.getBundleId());
            registers.read(BELOW_THE_AREA);
            assertThat(registers.read(TRAP_INFO, TRAP)).as("once for each open, whoever mediates it").isZero();
        }
    }

    @Test
    public void aFrozenIgdIsTakenByTheVersionThatIsThere() throws Exception {
        Bundle present = bundle("mediator.igd");
        startNext("mediator.igd");
        type("vfio:policy " + IGD + " freeze");
        try (VfioDevice device = openIgd(); var registers = new Registers(device)) {
            registers.read(BELOW_THE_AREA);
            registers.read(IN_THE_AREA);
            assertThat(registers.read(TRAP_INFO, TRAP)).isZero();
            present.stop();
            registers.read(BELOW_THE_AREA);
            assertThat(mediatorOf(next).devices()).containsExactly(IGD);
            assertThat(registers.read(TRAP_INFO, TRAP)).as("once for each open, whoever mediates it").isZero();
        } finally {
            type("vfio:policy " + IGD + " pass-through");
        }
    }

    // ---- mediator.i40e

    @Test
    public void theOldDriverStaysRegisteredUntilTheNextOneHasItsDevices() throws Exception {
        Bundle present = bundle("mediator.i40e");
        startNext("mediator.i40e");
        List<String> seen = new CopyOnWriteArrayList<>();
        ServiceListener listener = event -> {
            Bundle bundle = event.getServiceReference().getBundle();
            String who = bundle.equals(next) ? "next " : "present ";
            String what = event.getType() == ServiceEvent.REGISTERED ? "comes" : "goes";
            seen.add(who + what + " devices=" + admin.mediators().stream().filter(each -> each.bundleId() == next.getBundleId())
                .mapToInt(each -> each.devices().size()).sum());
        };
        try (VfioDevice first = vfio.open(SimulatedNic.VF0, Client.standard("first"));
                VfioDevice second = vfio.open(SimulatedNic.VF1, Client.standard("second"));
                var threads = new AccessingThreads(first, 2, thread -> registers -> {
                    registers.write(Registers.VF_ARQBAH1, thread);
                    assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
                })) {
            context.addServiceListener(listener, "(objectClass=" + MediateOps.class.getName() + ")");
            threads.awaitRounds(20);
            List<Integer> order = admin.mediators().stream().map(each -> (int) each.bundleId()).toList();
            type("vfio:swap --all " + present.getBundleId() + " " + next.getBundleId());
            Await.until("the old one's service goes", () -> seen.contains("present goes devices=2"));
            assertThat(seen).startsWith("next comes devices=0").doesNotContain("present goes devices=0", "present goes devices=1");
            assertThat(mediatorOf(next).devices()).containsExactlyInAnyOrder(SimulatedNic.VF0, SimulatedNic.VF1);
            assertThat(admin.mediators()).as("in its place").extracting(each -> (int) each.bundleId())
                .containsExactlyElementsOf(order.stream().map(id -> id == present.getBundleId() ? (int) next.getBundleId() : id).toList());
            threads.awaitRounds(20);
            type("vfio:swap --all " + next.getBundleId() + " " + present.getBundleId());
            threads.awaitRounds(20);
            assertThat(mediatorOf(present).devices()).hasSize(2);
        } finally {
            context.removeServiceListener(listener);
        }
    }
}
