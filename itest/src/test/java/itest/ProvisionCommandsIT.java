// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.jar;
import static itest.options.RuntimeOptions.mediatorIgd;
import static itest.options.RuntimeOptions.temporaryFolder;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;

import itest.bundles.MediatorBundle;
import itest.mediators.Answering;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.OptionUtils;
import org.osgi.framework.Bundle;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;

/** {@code vfio:plan}, {@code vfio:apply} and {@code vfio:prefer}. */
public class ProvisionCommandsIT extends OnProvisioned {
    private static final String NAME = "itest.mediator.planned";

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Override
    @Configuration
    public Option[] runtime() {
        return OptionUtils.combine(super.runtime(), vfioUser(), mediatorIgd(),
            frameworkProperty("vfio.etc").value(temporaryFolder("etc-")));
    }

    @Override
    Map<String, Object> properties() {
        return Map.of("repository", temporaryFolder("repository-"));
    }

    private Path write(String name, MediatorBundle mediator) throws IOException {
        return Files.write(folder.getRoot().toPath().resolve(name), mediator.jar().readAllBytes());
    }

    private static MediatorBundle planned(int answer, String version) {
        return answering("planned", answer, version, "vendor=8086");
    }

    private Optional<Bundle> bundle() {
        return bundles(each -> NAME.equals(each.getSymbolicName())).stream().findFirst();
    }

    // ---- failures

    @Test
    public void aWrongArgumentNamesWhatWasExpected() throws Exception {
        Path other = write("other.jar", MediatorBundle.of(Answering.class).named("other"));
        Path text = folder.newFile("text.jar").toPath();
        Map<String, List<String>> wrong = Map.ofEntries(
            Map.entry("vfio:plan", List.of("arguments=0", "expected=ACTION BUNDLE [FROM]")),
            Map.entry("vfio:plan remove vfio.pci.api", List.of("action=remove", "expected=one of install, update")),
            Map.entry("vfio:plan uninstall no.such", List.of("bundle=no.such", "expected=id or symbolic name")),
            Map.entry("vfio:plan uninstall 4711", List.of("bundle=4711")),
            Map.entry("vfio:plan refresh 0", List.of("expected=none that the framework itself")),
            Map.entry("vfio:plan install no.such", List.of("bundle=no.such", "expected=a path, a file: URL, or a name")),
            Map.entry("vfio:plan install /no/such.jar", List.of("/no/such.jar", "expected=a file that exists")),
            Map.entry("vfio:plan install http://example.org/a.jar", List.of("expected=a path or a file: URL")),
            Map.entry("vfio:plan install " + text, List.of("text.jar", "expected=a jar that can be read")),
            Map.entry("vfio:plan install " + jar("mediator.igd"), List.of("mediator.igd", "expected=one that is not installed")),
            Map.entry("vfio:plan update mediator.igd " + other, List.of("itest.mediator.other", "expected=mediator.igd")),
            Map.entry("vfio:plan uninstall mediator.igd /a.jar", List.of("from=/a.jar", "expected=nothing")),
            Map.entry("vfio:apply", List.of("plan=none", "expected=one")),
            Map.entry("vfio:prefer 8086 a", List.of("device=8086", "expected=VENDOR:DEVICE")),
            Map.entry("vfio:prefer 8086:154c a:b:c", List.of("bundle=a:b:c", "expected=a symbolic name")),
            Map.entry("vfio:prefer 8086:154c", List.of("arguments=1", "expected=none, or")));
        assertThat(wrong).allSatisfy((line, expected) -> assertThatThrownBy(() -> type(line)).as(line)
            .satisfies(thrown -> assertThat(thrown.getMessage()).contains(expected)));
    }

    @Test
    public void aPlanIsVoidWhenTheWorldHasChanged() throws Exception {
        mediators.start(planned(0xA1, "1.0.0"));
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            type("vfio:plan uninstall " + NAME);
            try (VfioDevice second = vfio.open(SimulatedNic.VF1, Client.standard("another"))) {
                assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining("bundles or devices changed since");
            }
            assertThatThrownBy(() -> type("vfio:apply")).as("it is forgotten").hasMessageContaining("plan=none");
            type("vfio:plan uninstall " + NAME);
            mediators.start(MediatorBundle.of(Answering.class).named("another"));
            assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining("bundles or devices changed since");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
        }
    }

    @Test
    public void aPlanIsVoidWhenTheJarHasChanged() throws Exception {
        Path jar = write("planned.jar", planned(0xA1, "1.0.0"));
        type("vfio:plan install " + jar);
        write("planned.jar", planned(0xA2, "1.0.0"));
        assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining("sha256=");
        assertThat(bundle()).isEmpty();
    }

    @Test
    public void whatDoesNotStartIsNotInstalled() throws Exception {
        var unresolved = new MediatorBundle(Map.of("Bundle-ManifestVersion", "2", "Bundle-SymbolicName", NAME, "Bundle-Version", "1.0.0",
            "Import-Package", "no.such.thing"));
        type("vfio:plan install " + write("unresolved.jar", unresolved));
        assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining("no.such.thing");
        assertThat(bundle()).isEmpty();
    }

    // ---- each action

    @Test
    public void installsUpdatesRefreshesAndUninstalls() throws Exception {
        Path jar = write("planned.jar", planned(0xA1, "1.0.0"));
        assertThat(type("vfio:plan install " + jar)).contains("install " + NAME + " 1.0.0", "installed", "no open device loses anything");
        assertThat(bundle()).as("a plan changes nothing").isEmpty();
        assertThat(type("vfio:apply")).contains("install of " + NAME + " 1.0.0 is done");
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA1);
            write("planned.jar", planned(0xA2, "2.0.0"));
            assertThat(type("vfio:plan update " + NAME)).contains("updated", "It becomes " + NAME + " 2.0.0.",
                "0000:3b:02.0  itest    mediator planned of " + NAME + " 1.0.0  pass-through");
            type("vfio:apply");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        }
        assertThat(bundle().orElseThrow().getVersion()).hasToString("2.0.0");
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(0xA2);
            assertThat(type("vfio:plan -j refresh " + bundle().orElseThrow().getBundleId())).contains("\"effect\":\"refreshed\"");
            type("vfio:apply");
            assertThat(bundle().orElseThrow().getState()).isEqualTo(Bundle.ACTIVE);
        }
        assertThat(type("vfio:plan uninstall " + NAME)).contains("uninstalled");
        type("vfio:apply");
        assertThat(bundle()).isEmpty();
        assertThat(admin.mediators()).noneMatch(mediator -> mediator.name().equals("planned"));
    }

    @Test
    public void installsByNameFromTheRepository() throws Exception {
        Path repository = configured("repository");
        Files.write(repository.resolve("one.jar"), planned(0xA1, "1.0.0").jar().readAllBytes());
        Files.write(repository.resolve("two.jar"), planned(0xA2, "2.0.0").jar().readAllBytes());
        try {
            type("vfio:plan install " + NAME + ":1.0.0");
            type("vfio:apply");
            assertThat(bundle().orElseThrow().getVersion()).hasToString("1.0.0");
            type("vfio:plan update " + NAME + " " + NAME);
            type("vfio:apply");
            assertThat(bundle().orElseThrow().getVersion()).hasToString("2.0.0");
        } finally {
            Files.delete(repository.resolve("one.jar"));
            Files.delete(repository.resolve("two.jar"));
            bundle().orElseThrow().uninstall();
        }
    }

    @Test
    public void theRealMediatorIsFoundByItsManifest() throws Exception {
        Path repository = configured("repository");
        Path copy = Files.copy(jar("mediator.i40e"), repository.resolve("real.jar"));
        try {
            try (VfioDevice device = open()) {
                assertThat(admin.device(SimulatedNic.VF0).mediator()).contains("i40e");
            }
            assertThat(type("vfio:mediators")).contains("vendor=8086 device=154c,1571 class=0200 fits 8086:154c");
        } finally {
            Files.delete(copy);
            for (Bundle bundle : bundles(each -> "mediator.i40e".equals(each.getSymbolicName()))) {
                bundle.uninstall();
            }
        }
    }

    @Test
    public void saysWhatEachDeviceWillDo() throws Exception {
        Bundle bundle = mediators.start(planned(0xA1, "1.0.0"));
        String loses = "  itest    mediator planned of " + NAME + " 1.0.0  ";
        try (VfioDevice first = open(); VfioDevice second = open(SimulatedNic.VF1); VfioDevice third = open(SimulatedNic.VF2);
                VfioDevice fourth = open(SimulatedNic.VF3)) {
            type("vfio:policy 0000:3b:02.1 freeze");
            type("vfio:policy 0000:3b:02.2 detach");
            type("vfio:policy 0000:3b:02.3 refuse");
            assertThat(type("vfio:plan uninstall " + NAME)).contains("0000:3b:02.0" + loses + "pass-through",
                "0000:3b:02.1" + loses + "freeze", "0000:3b:02.2" + loses + "detach", "0000:3b:02.3" + loses + "pass-through",
                "0000:3b:02.3 has the policy refuse, for which only vfio:unload asks.");
            type("vfio:policy 0000:3b:02.2 pass-through");
            assertThatThrownBy(() -> type("vfio:apply")).as("one will do something else than it was said to do")
                .hasMessageContaining("bundles or devices changed since");
            assertThat(bundle.getState()).isEqualTo(Bundle.ACTIVE);
        } finally {
            for (int function = 1; function <= 3; function++) {
                type("vfio:policy 0000:3b:02." + function + " pass-through");
            }
        }
    }

    @Test
    public void aFailedUpdateLeavesEverythingAsItWas() throws Exception {
        type("vfio:plan install " + write("planned.jar", planned(0xA1, "1.0.0")));
        type("vfio:apply");
        type("vfio:policy 0000:3b:02.1 freeze");
        try (VfioDevice device = open(); var registers = new Registers(device);
                VfioDevice freezing = open(SimulatedNic.VF1); var others = new Registers(freezing)) {
            Map<MediatorBundle, String> broken = Map.of(planned(0xA2, "2.0.0").importing("no.such.thing"), "no.such.thing",
                planned(0xA2, "2.0.0").withoutItsClass(), "no.such.Mediator", planned(0xA2, "1.0.0").withoutItsClass(), "no.such.Mediator");
            for (Map.Entry<MediatorBundle, String> each : broken.entrySet()) {
                type("vfio:plan update " + NAME + " " + write("broken.jar", each.getKey()));
                assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining(each.getValue())
                    .hasMessageEndingWith("version 1.0.0 goes on");
                assertThat(bundle().orElseThrow().getState()).isEqualTo(Bundle.ACTIVE);
                assertThat(bundle().orElseThrow().getVersion()).hasToString("1.0.0");
                assertThat(registers.read(Registers.VFGEN_RSTAT)).as("bound anew").isEqualTo(0xA1);
                assertThat(others.read(Registers.VFGEN_RSTAT)).as("bound anew").isEqualTo(0xA1);
            }
            type("vfio:plan update " + NAME + " " + write("good.jar", planned(0xA3, "3.0.0")));
            type("vfio:apply");
        } finally {
            type("vfio:policy 0000:3b:02.1 pass-through");
        }
        assertThat(statusOnOpen()).isEqualTo(0xA3);
        bundle().orElseThrow().uninstall();
    }

    @Test
    public void whatDidNotRunIsUpdatedAndDoesNotRunThen() throws Exception {
        Bundle bundle = mediators.start(planned(0xA1, "1.0.0"));
        bundle.stop();
        type("vfio:plan update " + NAME + " " + write("broken.jar", planned(0xA2, "2.0.0").importing("no.such.thing")));
        assertThatThrownBy(() -> type("vfio:apply")).hasMessageContaining("does not resolve").hasMessageEndingWith("version 1.0.0 goes on");
        assertThat(type("vfio:plan update " + NAME + " " + write("older.jar", planned(0xA2, "0.9.0"))))
            .contains("It becomes " + NAME + " 0.9.0, which is older.");
        type("vfio:apply");
        assertThat(bundle.getVersion()).hasToString("0.9.0");
        assertThat(bundle.getState()).isEqualTo(Bundle.RESOLVED);
    }

    @Test
    public void saysWhatHangsOnTheApiTheSimulatorAndTheTransport() throws Exception {
        try (VfioDevice device = open()) {
            assertThat(type("vfio:plan refresh vfio.pci.api")).contains("vfio.pci.core", "device.sim", "mediator.igd", "vfio.pci.shell",
                "the core of vfio.pci.core", "detach", "it is begun and not waited for");
            assertThat(type("vfio:plan uninstall device.sim")).contains("its function of device.sim", "detach")
                .doesNotContain("vfio.pci.core");
            String socket = folder.getRoot().toPath().resolve("vf0.sock").toString();
            type("vfio:serve 0000:3b:02.0 " + socket);
            try {
                assertThat(type("vfio:plan refresh vfio.user")).contains("its socket of vfio.user", "detach");
            } finally {
                type("vfio:unserve 0000:3b:02.0");
            }
        }
    }

    @Test
    public void whatNoDeviceUsesIsRefreshedWithoutOne() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(type("vfio:plan refresh mediator.igd")).contains("no open device loses anything");
            type("vfio:apply");
            assertThat(registers.read(Registers.VFGEN_RSTAT)).isEqualTo(Registers.VFACTIVE);
        }
        assertThat(admin.mediators()).anyMatch(mediator -> mediator.name().equals("igd"));
    }

    @Test
    public void preferencesAreListedSetAndEnded() throws Exception {
        Path file = Path.of(context.getProperty("vfio.etc"), "vfio.pci.provision.preferences.cfg");
        try {
            assertThat(type("vfio:prefer 8086:154c some.bundle")).contains("DEVICE     PREFERRED", "8086:154c  some.bundle");
            assertThat(type("vfio:prefer 8086:5927 other:1.0.0")).contains("8086:154c  some.bundle", "8086:5927  other:1.0.0");
            assertThat(file).content().as("so that it counts after the next start")
                .contains("8086:154c=some.bundle, 8086:5927=other:1.0.0");
            assertThat(type("vfio:prefer 8086:154c none")).doesNotContain("some.bundle");
            assertThat(type("vfio:prefer -j")).isEqualToIgnoringNewLines("[{\"device\":\"8086:5927\",\"bundle\":\"other:1.0.0\"}]");
            Files.writeString(file, "prefer = 8086:5927=another, no preference, 80:86=nobody");
            assertThat(type("vfio:prefer -j")).isEqualToIgnoringNewLines("[{\"device\":\"8086:5927\",\"bundle\":\"another\"}]");
            type("vfio:prefer 8086:5927 none");
            Files.delete(file);
            assertThat(type("vfio:prefer -j")).as("what has been made of it").isEqualToIgnoringNewLines("[]");
            assertThat(file.getParent()).isEmptyDirectory();
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
