// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.jar;
import static itest.options.RuntimeOptions.provisioning;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.temporaryFolder;
import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.inject.Inject;
import org.junit.After;
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
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/** Jars that are dropped, replaced and deleted while clients access devices: a mediator's has its effect, and no other has any. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class DropInFolderIT {
    private static final List<Long> OWN = List.of(Registers.VF_ARQBAH1, Registers.VF_ARQBAL1);
    private static final long SOME_ROUNDS = 500;
    private static final String FITS = "vendor=8086;device=154c";

    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private ConfigurationAdmin configurations;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);
    private Path folder;

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), provisioning(Map.of("load", temporaryFolder("load-")))};
    }

    @Before
    public void findFolder() throws Exception {
        SimulatedNic.await(admin);
        folder = Path.of(configurations.getConfiguration("vfio.pci.provision", "?").getProperties().get("load").toString());
    }

    @After
    public void emptyFolder() throws Exception {
        for (String name : folder.toFile().list()) {
            Files.delete(folder.resolve(name));
        }
        Await.until("what was dropped is gone", () -> Arrays.stream(context.getBundles())
            .noneMatch(bundle -> bundle.getLocation().startsWith("vfio-load:")));
    }

    private Path drop(String name, MediatorBundle mediator) throws IOException {
        Path written = Files.createTempFile("dropped-", ".tmp");
        Files.write(written, mediator.jar().readAllBytes());
        return Files.move(written, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    private static MediatorBundle answering(int answer, String version) {
        return MediatorBundle.of(Answering.class).named("dropped").answering(answer).version(version).fitting(FITS);
    }

    private VfioDevice open() throws VfioException {
        return vfio.open(SimulatedNic.VF0, Client.standard("itest"));
    }

    private int statusOnOpen() throws VfioException {
        try (VfioDevice device = vfio.open(SimulatedNic.VF1, Client.standard("itest")); var registers = new Registers(device)) {
            return registers.read(Registers.VFGEN_RSTAT);
        }
    }

    private AccessingThreads checkingThreads(VfioDevice device, Set<Integer> answers) throws VfioException {
        return new AccessingThreads(device, OWN.size(), thread -> registers -> {
            int value = (int) System.nanoTime() & 0x7FFF_FFC0;
            registers.write(OWN.get(thread), value);
            assertThat(registers.read(OWN.get(thread))).isEqualTo(value);
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isIn(answers);
        });
    }

    @Test
    public void aMediatorsJarComesChangesAndGoesUnderAccess() throws Exception {
        try (VfioDevice unmediated = vfio.open(SimulatedNic.VF2, Client.standard("itest"));
                var others = checkingThreads(unmediated, Set.of(Registers.VFACTIVE))) {
            Path jar = drop("a.jar", answering(0xA1, "1.0.0"));
            Await.until("it mediates", () -> statusOnOpen() == 0xA1);
            try (VfioDevice device = open(); var threads = checkingThreads(device, Set.of(0xA1, Registers.VFACTIVE))) {
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("dropped");
                drop("a.jar", answering(0xA2, "2.0.0"));
                Await.until("its successor mediates", () -> statusOnOpen() == 0xA2);
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.device(SimulatedNic.VF0).mediator()).as("it is not rebound by itself").isEmpty();
            }
            try (VfioDevice device = open(); var threads = checkingThreads(device, Set.of(0xA2, Registers.VFACTIVE))) {
                threads.awaitRounds(SOME_ROUNDS);
                Files.delete(jar);
                Await.until("nobody mediates", () -> admin.mediators().isEmpty());
                threads.awaitRounds(SOME_ROUNDS);
            }
            others.awaitRounds(SOME_ROUNDS);
        }
        assertThat(mediators.number(Setting.LATE, "dropped")).hasValue(0);
    }

    @Test
    public void anApiJarIsRefusedAndNothingIsRefreshed() throws Exception {
        drop("a.jar", answering(0xA1, "1.0.0"));
        Await.until("it mediates", () -> statusOnOpen() == 0xA1);
        var events = new ConcurrentLinkedQueue<String>();
        BundleListener listener = event -> {
            if (event.getType() != BundleEvent.RESOLVED) {
                events.add(event.getBundle() + " " + event.getType());
            }
        };
        context.addBundleListener(listener);
        try (VfioDevice device = open(); var threads = checkingThreads(device, Set.of(0xA1)); var log = new LoggedLines()) {
            Path api = folder.resolve("vfio.pci.api.jar");
            Files.copy(jar("vfio.pci.api"), api);
            Await.until("it is refused", () -> log.with("vfio.pci.api.jar is refused").size() == 1);
            threads.awaitRounds(SOME_ROUNDS);
            Files.copy(jar("linux.sys"), api, StandardCopyOption.REPLACE_EXISTING);
            Await.until("it is refused again", () -> log.with("vfio.pci.api.jar is refused").size() == 2);
            threads.awaitRounds(SOME_ROUNDS);
            Files.delete(api);
            drop("marker.jar", MediatorBundle.of(Answering.class).named("marker").fitting(FITS));
            Await.until("a look after that", () -> admin.mediators().size() == 2);
            threads.awaitRounds(SOME_ROUNDS);
        } finally {
            context.removeBundleListener(listener);
        }
        assertThat(events).as("only the marker's own").isNotEmpty().allMatch(event -> event.contains("marker"));
    }

    @Test
    public void aJarThatBecomesAnotherBundleIsRefused() throws Exception {
        drop("a.jar", answering(0xA1, "1.0.0"));
        Await.until("it mediates", () -> statusOnOpen() == 0xA1);
        try (var log = new LoggedLines()) {
            drop("a.jar", MediatorBundle.of(Answering.class).named("another").answering(0xA2).fitting(FITS));
            Await.until("it is refused", () -> !log.with("a.jar is not updated: bundle=itest.mediator.another").isEmpty());
        }
        assertThat(statusOnOpen()).isEqualTo(0xA1);
        assertThat(bundles("itest.mediator.another")).isEmpty();
    }

    private List<Bundle> bundles(String symbolicName) {
        return Arrays.stream(context.getBundles()).filter(bundle -> symbolicName.equals(bundle.getSymbolicName())).toList();
    }
}
