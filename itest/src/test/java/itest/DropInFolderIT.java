// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.jar;
import static itest.options.RuntimeOptions.temporaryFolder;
import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import itest.mediators.Setting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.VfioDevice;

/** Jars that are dropped, replaced and deleted while clients access devices: a mediator's has its effect, and no other has any. */
public class DropInFolderIT extends OnProvisioned {
    private static final List<Long> OWN = List.of(Registers.VF_ARQBAH1, Registers.VF_ARQBAL1);
    private static final long SOME_ROUNDS = 500;
    private static final String FITS = "vendor=8086;device=154c";

    private Path folder;

    @Override
    Map<String, Object> properties() {
        return Map.of("load", temporaryFolder("load-"));
    }

    @Before
    public void findFolder() throws Exception {
        folder = configured("load");
    }

    @After
    public void emptyFolder() throws Exception {
        for (String name : folder.toFile().list()) {
            Files.delete(folder.resolve(name));
        }
        Await.until("what was dropped is gone", () -> bundles(bundle -> bundle.getLocation().startsWith("vfio-load:")).isEmpty());
    }

    private Path drop(String name, MediatorBundle mediator) throws IOException {
        return drop(name, mediator.jar().readAllBytes());
    }

    private Path drop(String name, byte[] content) throws IOException {
        Path written = Files.createTempFile("dropped-", ".tmp");
        Files.write(written, content);
        // replacing, a move that is not atomic deletes first
        return Files.move(written, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private static MediatorBundle answering(int answer, String version) {
        return answering("dropped", answer, version, FITS);
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
        try (VfioDevice unmediated = open(SimulatedNic.VF2);
                var others = checkingThreads(unmediated, Set.of(Registers.VFACTIVE))) {
            Path jar = drop("a.jar", answering(0xA1, "1.0.0"));
            Await.until("it mediates", () -> statusOnOpen(SimulatedNic.VF1) == 0xA1);
            try (VfioDevice device = open(); var threads = checkingThreads(device, Set.of(0xA1, Registers.VFACTIVE))) {
                threads.awaitRounds(SOME_ROUNDS);
                assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("dropped");
                drop("a.jar", answering(0xA2, "2.0.0"));
                Await.until("its successor mediates", () -> statusOnOpen(SimulatedNic.VF1) == 0xA2);
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
        Await.until("it mediates", () -> statusOnOpen(SimulatedNic.VF1) == 0xA1);
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
        Await.until("it mediates", () -> statusOnOpen(SimulatedNic.VF1) == 0xA1);
        try (var log = new LoggedLines()) {
            drop("a.jar", MediatorBundle.of(Answering.class).named("another").answering(0xA2).fitting(FITS));
            Await.until("it is refused", () -> !log.with("a.jar is not updated: bundle=itest.mediator.another").isEmpty());
        }
        assertThat(statusOnOpen(SimulatedNic.VF1)).isEqualTo(0xA1);
        assertThat(bundles(bundle -> "itest.mediator.another".equals(bundle.getSymbolicName()))).isEmpty();
    }

    @Test
    public void aBrokenReplacementLeavesTheOldOneGoing() throws Exception {
        drop("a.jar", answering(0xA1, "1.0.0"));
        Await.until("it mediates", () -> statusOnOpen(SimulatedNic.VF1) == 0xA1);
        Map<byte[], String> broken = new LinkedHashMap<>();
        broken.put("no jar at all".getBytes(StandardCharsets.UTF_8), "expected=a jar that can be read");
        broken.put(Arrays.copyOf(answering(0xA2, "2.0.0").jar().readAllBytes(), 1000), "expected=a jar that can be read");
        broken.put(answering(0xA2, "2.0.0").importing("no.such.thing").jar().readAllBytes(), "no.such.thing");
        broken.put(answering(0xA2, "2.0.0").withoutItsClass().jar().readAllBytes(), "no.such.Mediator");
        broken.put(answering(0xA2, "0.9.0").jar().readAllBytes(), "expected=1.0.0 or later");
        broken.put(Files.readAllBytes(jar("linux.sys")), "expected=itest.mediator.dropped");
        try (VfioDevice device = open(); var registers = new Registers(device); var log = new LoggedLines()) {
            for (Map.Entry<byte[], String> each : broken.entrySet()) {
                int before = log.with("a.jar is not updated").size();
                drop("a.jar", each.getKey());
                Await.until("it is refused: " + each.getValue(), () -> log.with("a.jar is not updated").size() == before + 1);
                assertThat(log.with("a.jar is not updated").getLast()).contains(each.getValue());
                assertThat(registers.read(Registers.VFGEN_RSTAT)).as("after %s", each.getValue()).isEqualTo(0xA1);
                assertThat(statusOnOpen(SimulatedNic.VF1)).isEqualTo(0xA1);
            }
            drop("a.jar", answering(0xA3, "3.0.0"));
            Await.until("a good one is taken", () -> statusOnOpen(SimulatedNic.VF1) == 0xA3);
        }
    }

    @Test
    public void asManyOfABundleAsItHasVersions() throws Exception {
        drop("a.jar", answering(0xA1, "1.0.0"));
        Await.until("it mediates", () -> statusOnOpen(SimulatedNic.VF1) == 0xA1);
        try (var log = new LoggedLines()) {
            Path same = drop("b.jar", answering(0xA2, "1.0.0"));
            Await.until("it is refused", () -> !log.with("b.jar is not installed").isEmpty());
            assertThat(log.with("b.jar is not installed")).singleElement().asString().contains("not unique", "itest.mediator.dropped");
            drop("b.jar", answering(0xA2, "2.0.0"));
            Await.until("both are there", () -> admin.mediators().size() == 2);
            assertThat(statusOnOpen(SimulatedNic.VF1)).as("the older is asked first").isEqualTo(0xA1);
            Files.delete(same);
            Await.until("the second is gone", () -> admin.mediators().size() == 1);
            assertThat(statusOnOpen(SimulatedNic.VF1)).isEqualTo(0xA1);
        }
    }
}
