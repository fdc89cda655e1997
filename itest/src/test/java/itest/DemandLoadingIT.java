// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.temporaryFolder;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.MediatorBundle;
import itest.bundles.MediatorIndex;
import itest.mediators.Considering;
import itest.mediators.Refusing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import vfio.pci.api.PciAddress;
import vfio.pci.api.admin.ProvidedMediator;
import vfio.pci.api.admin.ProvisionAdmin;
import vfio.pci.api.device.VfioDevice;

/** A device is opened that nobody mediates, and the repository has somebody for it. What was loaded goes one second after its device. */
public class DemandLoadingIT extends OnProvisioned {
    private static final int MANY = 200;
    private static final int MOST_ROUNDS = 6;
    private static final String EXACT = "vendor=8086;device=154c;class=0200";

    @Inject
    private ProvisionAdmin provisioning;
    private MediatorIndex index;

    @Override
    Map<String, Object> properties() {
        return Map.of("repository", temporaryFolder("repository-") + "/index.xml", "idleSeconds", 1);
    }

    @Before
    public void beginRepository() throws Exception {
        index = new MediatorIndex(configured("repository").getParent());
    }

    @After
    public void endRepository() throws Exception {
        for (String device : provisioning.preferences().keySet()) {
            provisioning.prefer(device, Optional.empty());
        }
        for (Bundle bundle : loaded()) {
            bundle.uninstall();
        }
        assertThat(provisioning.provided()).isEmpty();
        new MediatorIndex(configured("repository").getParent()).write();
    }

    private List<Bundle> loaded() {
        return bundles(bundle -> bundle.getLocation().startsWith("vfio-demand:"));
    }

    private static MediatorBundle answering(String name, int answer, String fits) {
        return answering(name, answer, "1.0.0", fits);
    }

    // ---- failures

    @Test
    public void opensWithoutWhenNobodyFits() throws Exception {
        index.add(answering("other", 0xA1, "vendor=8086;device=5927")).write();
        assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
        assertThat(loaded()).isEmpty();
    }

    @Test
    public void opensWithoutWhenTheRepositoryCannotBeRead() throws Exception {
        Path file = configured("repository");
        Files.writeString(file, "this is no index");
        try (var log = new LoggedLines()) {
            assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
            assertThat(log.with("the repository cannot be read")).hasSize(1);
        }
    }

    /** A pipe that nobody writes to is as a disk that hangs. */
    @Test
    public void opensWithoutAndInTimeWhenTheRepositoryHangs() throws Exception {
        Path file = configured("repository");
        Files.deleteIfExists(file);
        assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
        try (var log = new LoggedLines()) {
            assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
            assertThat(log.with("the repository cannot be read")).singleElement().asString().contains("expected=to be read within PT3S");
            assertThatThrownBy(() -> type("vfio:plan install itest.mediator.m")).hasMessageContaining("expected=to be read within PT3S");
        }
        Files.writeString(file, "<repository/>");
        Files.delete(file);
        index.add(answering("m", 0xA1, EXACT)).write();
        Await.until("it is read again", () -> statusOnOpen() == 0xA1);
    }

    @Test
    public void refusesWrongDigestOnceAndTakesNobodyElse() throws Exception {
        index.add(answering("tampered", 0xA1, EXACT), "ab".repeat(32)).add(answering("wild", 0xA2, "vendor=8086")).write();
        try (var log = new LoggedLines()) {
            assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
            assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
            assertThat(log.with("tampered")).singleElement().asString().contains("sha256=").contains("expected=" + "ab".repeat(32));
        }
        assertThat(loaded()).isEmpty();
        index.add(answering("tampered", 0xA3, EXACT).version("1.0.1")).write();
        assertThat(statusOnOpen()).as("a better one is taken as soon as there is one").isEqualTo(0xA3);
    }

    @Test
    public void refusesJarThatIsAnotherBundleThanTheIndexSays() throws Exception {
        var jar = answering("inside", 0xA1, EXACT);
        index.add(jar).write();
        Path file = configured("repository");
        Files.writeString(file, Files.readString(file).replace("itest.mediator.inside", "itest.mediator.outside"));
        assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
        assertThat(loaded()).isEmpty();
    }

    @Test
    public void leavesAloneWhatSomebodyInstalledAndStopped() throws Exception {
        var mediator = answering("stopped", 0xA1, EXACT);
        Bundle bundle = mediators.start(mediator);
        bundle.stop();
        index.add(mediator).write();
        assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
        assertThat(bundle.getState()).isEqualTo(Bundle.RESOLVED);
        assertThat(loaded()).isEmpty();
    }

    @Test
    public void opensWithoutWhenTheMediatorDoesNotStart() throws Exception {
        var unresolved = new MediatorBundle(Map.of("Bundle-ManifestVersion", "2", "Bundle-SymbolicName", "unresolved",
            "Bundle-Version", "1.0.0", "Import-Package", "no.such.thing")).fitting(EXACT);
        index.add(unresolved).write();
        try (var log = new LoggedLines()) {
            assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
            assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
            assertThat(log.with("unresolved:1.0.0 is not loaded")).singleElement().asString().contains("no.such.thing");
        }
        assertThat(loaded()).isEmpty();
    }

    @Test
    public void asksNobodyElseWhenTheOneRefuses() throws Exception {
        index.add(MediatorBundle.of(Refusing.class).named("refusing").fitting(EXACT)).add(answering("wild", 0xA2, "vendor=8086")).write();
        assertThat(statusOnOpen()).isEqualTo(Registers.VFACTIVE);
        assertThat(mediators.board().journal()).containsExactly("refusing");
    }

    // ---- the right one

    @Test
    public void choosesOneOfTwoHundred() throws Exception {
        for (int i = 0; i < MANY; i++) {
            String version = "1." + i + ".0";
            index.add(switch (i % 4) {
                case 0 -> answering("elsewhere." + i, i, "vendor=1af4;device=%04x;class=0200".formatted(0x1000 + i)).version(version);
                case 1 -> answering("vendor." + i, i, "vendor=8086").version(version);
                case 2 -> answering("device." + i, i, "vendor=8086;device=154c").version(version);
                default -> i == 67 || i == 131 ? answering("exact", i, EXACT).version(version)
                    : answering("network." + i, i, "class=0200").version(version);
            });
        }
        index.write();
        try (VfioDevice device = open(SimulatedNic.VF0); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).as("no wildcard, the higher version").isEqualTo(131);
            ProvidedMediator provided = provisioning.provided().getFirst();
            assertThat(provided.bundle()).isEqualTo("itest.mediator.exact 1.131.0");
            assertThat(provided.device()).isEqualTo(SimulatedNic.VF0);
            assertThat(provided.why()).isEqualTo("vendor=8086 device=154c class=0200 fits 8086:154c");
            assertThat(type("vfio:mediators")).contains("LOADED ON DEMAND", provided.bundle(), provided.why());
            assertThat(type("vfio:mediators -j")).contains("\"loadedFor\":{\"device\":\"0000:3b:02.0\"");
        }
        Await.until("it is unloaded", () -> loaded().isEmpty());
        try (VfioDevice pf = open(SimulatedNic.PF)) {
            assertThat(admin.device(SimulatedNic.PF).mediator()).as("two wildcards, the highest version").contains("network.199");
        }
        assertThat(loaded()).hasSize(1);
    }

    @Test
    public void preferenceOverridesTheChoice() throws Exception {
        index.add(answering("exact", 0xA1, EXACT)).add(answering("wild", 0xA2, "").version("1.0.0"))
            .add(answering("wild", 0xA3, "").version("2.0.0")).write();
        assertThat(type("vfio:prefer 8086:154C itest.mediator.wild:1.0.0"))
            .contains("8086:154c", "itest.mediator.wild:1.0.0");
        try (VfioDevice device = open(SimulatedNic.VF0); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA2);
            assertThat(provisioning.provided().getFirst().why()).isEqualTo("preferred for 8086:154c");
        }
        Await.until("it is unloaded", () -> loaded().isEmpty());
        assertThat(type("vfio:prefer 8086:154c none")).doesNotContain("wild");
        assertThat(statusOnOpen()).isEqualTo(0xA1);
    }

    @Test
    public void loadsOnceForDevicesThatAreOpenedAtOnce() throws Exception {
        index.add(answering("m", 0xA1, EXACT)).write();
        var addresses = List.of(SimulatedNic.VF0, SimulatedNic.VF1, SimulatedNic.VF2, SimulatedNic.VF3, SimulatedNic.VF0);
        var together = new CyclicBarrier(addresses.size());
        try (ExecutorService openers = Executors.newFixedThreadPool(addresses.size())) {
            List<Future<VfioDevice>> opening = addresses.stream().map(address -> openers.submit(() -> {
                together.await();
                return open(address);
            })).toList();
            for (Future<VfioDevice> opened : opening) {
                try (VfioDevice device = opened.get(); var registers = new Registers(device)) {
                    assertThat(registers.read(Registers.VFGEN_RSTAT)).as("%s", device.address()).isEqualTo(0xA1);
                }
            }
        }
        assertThat(loaded()).hasSize(1);
        assertThat(admin.mediators()).hasSize(1);
    }

    // ---- idle

    @Test
    public void staysWhileADeviceUsesItAndComesAgain() throws Exception {
        index.add(answering("m", 0xA1, EXACT)).write();
        try (VfioDevice device = open(SimulatedNic.VF0); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
            open(SimulatedNic.VF1).close();
            long idle = System.nanoTime() + 1_500_000_000L;
            Await.until("longer than it may be idle", () -> System.nanoTime() - idle > 0);
            assertThat(registers.read(Registers.VFGEN_RSTAT)).as("a device of it closed, but not the last").isEqualTo(0xA1);
        }
        Await.until("it is unloaded", () -> loaded().isEmpty());
        assertThat(admin.mediators()).isEmpty();
        assertThat(statusOnOpen()).isEqualTo(0xA1);
    }

    @Test
    public void isNotUnloadedWhileItConsidersADevice() throws Exception {
        index.add(MediatorBundle.of(Considering.class).named("m").answering(0xA1).fitting(EXACT)).write();
        mediators.number(Considering.DECIDED, "m").set(1);
        assertThat(statusOnOpen()).isEqualTo(0xA1);
        Bundle idle = loaded().getFirst();
        mediators.number(Considering.DECIDED, "m").set(0);
        mediators.board().takeJournal();
        try (ExecutorService opener = Executors.newSingleThreadExecutor()) {
            Future<Integer> status = opener.submit(() -> statusOnOpen());
            Await.until("it is asked", () -> !mediators.board().journal().isEmpty());
            long due = System.nanoTime() + 1_500_000_000L;
            Await.until("it has had no device for longer than it may", () -> System.nanoTime() - due > 0);
            assertThat(idle.getState()).isEqualTo(Bundle.ACTIVE);
            mediators.number(Considering.DECIDED, "m").set(1);
            assertThat(status.get()).as("it decided to take the device").isEqualTo(0xA1);
        }
    }

    @Test
    public void opensAndUnloadsThatMeetAlwaysEndMediated() throws Exception {
        index.add(answering("m", 0xA1, EXACT)).write();
        var unloads = new AtomicInteger();
        BundleListener listener = event -> unloads.addAndGet(event.getType() == BundleEvent.UNINSTALLED ? 1 : 0);
        context.addBundleListener(listener);
        try (ExecutorService openers = Executors.newFixedThreadPool(2)) {
            for (int round = 0; round < MOST_ROUNDS && unloads.get() < 2; round++) {
                List<Future<Void>> opening = List.of(openers.submit(() -> openAroundTheEnd(SimulatedNic.VF0)),
                    openers.submit(() -> openAroundTheEnd(SimulatedNic.VF1)));
                for (Future<Void> opened : opening) {
                    opened.get();
                }
            }
        } finally {
            context.removeBundleListener(listener);
        }
        Await.until("it is unloaded once nobody opens a device", () -> loaded().isEmpty());
    }

    /** Opens a device about when the mediator has been idle for a second, sooner or later by some milliseconds. */
    private Void openAroundTheEnd(PciAddress address) throws Exception {
        for (int attempt = 0; attempt < 3; attempt++) {
            try (VfioDevice device = open(address); var registers = new Registers(device)) {
                assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
            }
        }
        long next = System.nanoTime() + 1_000_000_000L + ThreadLocalRandom.current().nextLong(-4_000_000L, 20_000_000L);
        Await.until("its time is up", () -> System.nanoTime() - next >= 0);
        return null;
    }
}
