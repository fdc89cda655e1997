// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Refusing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.user.wire.client.VfioUserClient;

/** Each command of the scope {@code vfio}, typed into the Gogo of a runtime with devices. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ShellCommandsIT {
    private static final List<String> COMMANDS = List.of(
        "devices", "device", "mediators", "policy", "stack", "rebind", "swap", "renew", "unload", "serve", "unserve", "read", "write",
        "migrate", "stats", "plan", "apply", "prefer", "help");

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
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), vfioUser(), simulatedNic(), mediatorI40e(), shell()};
    }

    @Before
    public void waitForTheNicAndItsMediator() throws Exception {
        DeviceAdmin now = context.getService(context.getServiceReference(DeviceAdmin.class));
        SimulatedNic.await(now);
        Await.until("the PF is driven", () -> now.mediators().stream().anyMatch(mediator -> mediator.name().equals("i40e")));
    }

    // ---- failures

    @Test
    public void aWrongArgumentNamesWhatWasExpected() {
        Map<String, List<String>> wrong = Map.ofEntries(
            Map.entry("vfio:devices x", List.of("arguments=1", "expected=none", "usage: vfio:devices")),
            Map.entry("vfio:devices -x", List.of("option=-x", "expected=-j or -h")),
            Map.entry("vfio:device", List.of("arguments=0", "expected=ADDRESS")),
            Map.entry("vfio:device nonsense", List.of("address=nonsense", "expected=DDDD:BB:DD.F", SimulatedNic.VF0.toString())),
            Map.entry("vfio:device 0000:01:00.0", List.of("address=0000:01:00.0", "expected=", SimulatedNic.VF0.toString())),
            Map.entry("vfio:mediators all", List.of("expected=none")),
            Map.entry("vfio:serve 0000:3b:02.0", List.of("arguments=1", "expected=ADDRESS SOCKET")),
            Map.entry("vfio:serve 0000:3b:02.0 vf0.sock", List.of("socket=vf0.sock", "expected=an absolute path")),
            Map.entry("vfio:serve 0000:01:00.0 /tmp/vf0.sock", List.of("address=0000:01:00.0", SimulatedNic.VF0.toString())),
            Map.entry("vfio:serve 0000:3b:02.0 /none/such/vf0.sock", List.of("/none/such")),
            Map.entry("vfio:unserve 0000:3b:02.0", List.of("not served")),
            Map.entry("vfio:read 0000:3b:02.0 bar9 0 4", List.of("region=bar9", "expected=a number, or one of bar0")),
            Map.entry("vfio:read 0000:3b:02.0 42 0 4", List.of("region=42", "expected=0 to ")),
            Map.entry("vfio:read 0000:3b:02.0 bar0 here 4", List.of("offset=here", "expected=0 to 0x7fffffffffffffff")),
            Map.entry("vfio:read 0000:3b:02.0 bar0 0 3", List.of("width=3", "expected=1, 2, 4 or 8")),
            Map.entry("vfio:read 0000:3b:02.0 bar0 0x10000 4", List.of("offset=0x10000")),
            Map.entry("vfio:write 0000:3b:02.0 bar0 0 4", List.of("arguments=4", "expected=ADDRESS REGION OFFSET WIDTH VALUE")),
            Map.entry("vfio:write 0000:3b:02.0 bar0 0 1 0x100", List.of("value=0x100", "expected=0 to 0xff")),
            Map.entry("vfio:stats 3b:02.7", List.of("address=0000:3b:02.7", SimulatedNic.VF0.toString())),
            Map.entry("vfio:help nonsense", List.of("command=nonsense", "expected=one of", "devices")));
        assertThat(wrong).allSatisfy((line, expected) -> assertThatThrownBy(() -> type(line)).as(line)
            .satisfies(thrown -> assertThat(thrown.getMessage()).contains(expected)));
    }

    @Test
    public void withoutTheCoreACommandSaysWhatIsMissing() throws Exception {
        Bundle core = Arrays.stream(context.getBundles()).filter(one -> "vfio.pci.core".equals(one.getSymbolicName())).findFirst()
            .orElseThrow();
        core.stop();
        try {
            List<String> lines = List.of("vfio:devices", "vfio:mediators", "vfio:device 3b:02.0", "vfio:stats 3b:02.0",
                "vfio:read 3b:02.0 bar0 0 4", "vfio:serve 3b:02.0 /tmp/none.sock");
            assertThat(lines).allSatisfy(line -> assertThatThrownBy(() -> type(line)).hasMessageContaining("vfio.pci.core"));
        } finally {
            core.start();
        }
    }

    // ---- each command

    @Test
    public void devicesListsEveryFunctionAndWhoHasIt() throws Exception {
        try (VfioDevice device = open()) {
            List<String> lines = type("vfio:devices").lines().toList();
            assertThat(lines).hasSize(1 + 5);
            assertThat(words(lines.get(1))).startsWith(SimulatedNic.PF.toString(), "8086:1583").contains("i40e");
            assertThat(words(lines.get(2))).startsWith(SimulatedNic.VF0.toString(), "8086:154c")
                .contains(SimulatedNic.PF.toString(), "vfio-pci", "i40e", "itest");
            assertThat(words(lines.get(3))).startsWith(SimulatedNic.VF1.toString()).doesNotContain("vfio-pci", "itest");
            assertThat(type("vfio:devices -j")).startsWith("[{\"address\":\"0000:3b:00.0\",\"id\":\"8086:1583\"")
                .contains("\"clients\":[\"itest\"]");
            assertThat(device.address()).isEqualTo(SimulatedNic.VF0);
        }
    }

    @Test
    public void deviceShowsRegionsAndInterruptsOfAnOpenOne() throws Exception {
        assertThat(type("vfio:device 0000:3b:02.0")).contains("8086:154c").doesNotContain("bar0", "msix");
        try (VfioDevice device = open()) {
            String shown = type("vfio:device 3b:02.0");
            assertThat(rowOf(shown, "bar0")).contains("0x10000");
            assertThat(rowOf(shown, "bar3")).contains("0x4000");
            assertThat(rowOf(shown, "msix")).contains("5");
            assertThat(rowOf(shown, "mediator")).contains("i40e");
            assertThat(type("vfio:device -j 3b:02.0")).contains("\"name\":\"bar0\",\"size\":\"0x10000\"", "\"mediator\":\"i40e\"");
            assertThat(device.info().regions()).isGreaterThan(9);
        }
    }

    @Test
    public void mediatorsShowsThemInTheOrderTheyAreAsked() throws Exception {
        mediators.start(MediatorBundle.of(Refusing.class).named("late"));
        mediators.start(MediatorBundle.of(Refusing.class).named("first").ranked(7));
        try (VfioDevice device = open()) {
            List<String> lines = type("vfio:mediators").lines().toList();
            assertThat(lines.subList(1, 4)).extracting(line -> words(line).getFirst()).containsExactly("first", "i40e", "late");
            assertThat(words(lines.get(1))).contains("itest.mediator.first", "1.0.0", "7");
            assertThat(words(lines.get(2))).contains("mediator.i40e", device.address().toString());
            assertThat(type("vfio:mediators -j")).containsSubsequence("\"name\":\"first\"", "\"name\":\"i40e\"", "\"name\":\"late\"")
                .contains("\"devices\":[\"0000:3b:02.0\"]");
        }
    }

    @Test
    public void readGoesThroughTheMediatorAsAClientDoes() throws Exception {
        assertThat(type("vfio:read 0000:3b:02.0 bar0 0x8800 4")).isEqualTo("0x00000002\n");
        assertThat(type("vfio:read 3b:02.0 0 0x8800 1")).isEqualTo("0x02\n");
        assertThat(type("vfio:read 3b:02.0 config 0 2")).isEqualTo("0x8086\n");
        assertThat(type("vfio:read -j 3b:02.0 bar0 34816 4")).isEqualTo(
            "{\"address\":\"0000:3b:02.0\",\"region\":\"bar0\",\"offset\":\"0x8800\",\"width\":4,\"value\":\"0x00000002\"}\n");
        try (VfioDevice device = open()) {
            long before = admin.stats(device.address()).mediated();
            type("vfio:read 3b:02.0 bar0 0x8800 4");
            assertThat(admin.stats(device.address()).mediated()).isEqualTo(before + 1);
        }
    }

    @Test
    public void writeIsSeenByAClient() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(type("vfio:write 3b:02.0 bar0 0x7800 4 0x12345678")).isEmpty();
            assertThat(registers.read(Registers.VF_ATQBAH1)).isEqualTo(0x1234_5678);
            assertThat(type("vfio:write 3b:02.0 bar0 0x7800 2 0xabcd -j")).contains("\"value\":\"0xabcd\"");
            assertThat(registers.read(Registers.VF_ATQBAH1)).isEqualTo(0x1234_abcd);
            assertThat(type("vfio:read 3b:02.0 bar0 0x7800 4")).isEqualTo("0x1234abcd\n");
        }
    }

    @Test
    public void statsCountsMediatedAndPassedThrough() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertThat(rowOf(type("vfio:stats 3b:02.0"), "mediated")).containsExactly("mediated", "0");
            registers.read(Registers.VFGEN_RSTAT);
            registers.read(Registers.VFQF_HKEY);
            registers.read(Registers.VFQF_HKEY);
            assertThatThrownBy(() -> registers.read(0x10000));
            String shown = type("vfio:stats 3b:02.0");
            assertThat(rowOf(shown, "mediated")).containsExactly("mediated", "1");
            assertThat(rowOf(shown, "passedThrough")).containsExactly("passedThrough", "2");
            assertThat(rowOf(shown, "errors")).containsExactly("errors", "1");
            assertThat(type("vfio:stats -j 3b:02.0")).startsWith("{\"address\":\"0000:3b:02.0\",\"mediated\":1,\"passedThrough\":2,");
        }
    }

    @Test
    public void serveLetsAClientConnectUntilUnserve() throws Exception {
        Path socket = folder.getRoot().toPath().resolve("vf0.sock");
        assertThat(type("vfio:serve 0000:3b:02.0 " + socket)).isEqualTo("serving 0000:3b:02.0 on " + socket + "\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
        try (VfioUserClient client = VfioUserClient.connect(socket)) {
            assertThat(client.deviceInfo().regions()).isGreaterThanOrEqualTo(9);
            assertThat(words(rowOfDevice(SimulatedNic.VF0.toString()))).contains(socket.toString(), "vfio-pci");
            assertThat(rowOf(type("vfio:device 3b:02.0"), "socket")).contains(socket.toString());
            assertThatThrownBy(() -> type("vfio:serve 3b:02.0 " + socket + "2")).hasMessageContaining("served already");
            assertThat(type("vfio:unserve 3b:02.0")).isEmpty();
            assertThatThrownBy(client::deviceInfo).as("it is disconnected").hasMessageNotContaining("null");
        }
        assertThat(socket).doesNotExist();
        assertThat(type("vfio:serve -j 3b:02.0 " + socket)).isEqualTo(
            "{\"address\":\"0000:3b:02.0\",\"socket\":\"" + socket + "\"}\n");
        assertThat(type("vfio:unserve -j 3b:02.0")).isEqualTo("{\"address\":\"0000:3b:02.0\"}\n");
        Await.until("the device is closed", () -> !admin.device(SimulatedNic.VF0).open());
    }

    @Test
    public void helpListsEachCommandAndEachHasItsOwn() throws Exception {
        assertThat(type("vfio:help").lines()).as("a line for each").hasSizeGreaterThan(COMMANDS.size());
        for (String command : COMMANDS) {
            assertThat(type("vfio:help")).contains("vfio:" + command);
            assertThat(type("vfio:" + command + " -h")).startsWith("vfio:" + command).isEqualTo(type("vfio:help " + command));
        }
    }

    private VfioDevice open() throws Exception {
        return vfio.open(SimulatedNic.VF0, Client.standard("itest"));
    }

    private String type(String line) throws Exception {
        return new Gogo(processor).run(line);
    }

    private String rowOfDevice(String address) throws Exception {
        return type("vfio:devices").lines().filter(line -> line.startsWith(address)).findFirst().orElseThrow();
    }

    /** The words of the first line that begins with this one. */
    private static List<String> rowOf(String table, String first) {
        return table.lines().map(ShellCommandsIT::words).filter(row -> row.getFirst().equals(first)).findFirst()
            .orElseThrow(() -> new AssertionError("no row of " + first + " in" + System.lineSeparator() + table));
    }

    private static List<String> words(String line) {
        return List.of(line.strip().split("[\\s,]+"));
    }
}
