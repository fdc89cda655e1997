// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorGuard;
import static itest.options.RuntimeOptions.mediatorIgd;
import static itest.options.RuntimeOptions.shell;
import static itest.options.RuntimeOptions.simulatedIgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.logging.Level;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.service.cm.ConfigurationAdmin;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.MediatorStatus;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.dma.DmaBacking;
import vfio.pci.api.dma.DmaMapping;

/** A guard over the simulated graphics device, before the mediator that would take it otherwise. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class GuardIT {
    private static final PciAddress IGD = PciAddress.parse("0000:00:02.0");
    private static final long RING_TAIL = 0x2030;
    private static final long RING_START = 0x2038;
    private static final long FENCE = 0x100000;
    /** In the pages at 0x8000 to 0xFFFF, which a client may map. */
    private static final long STORAGE = 0x9000;
    /** The region that says whether areas trap, the first one added. */
    private static final int TRAP_INFO = 9;
    private static final String PID = "mediator.guard~igd";
    private static final Map<String, Object> RULES = Map.of("devices", "8086:5927", "service.ranking", "100",
        "rule.1", "deny write bar0:0x2038 value=!0x10000-0x1ffff",
        "rule.2", "limit write bar0:0x2030 rate=1 burst=3",
        "rule.3", "log write bar0:0x100000",
        "rule.4", "deny access bar0:0x9000");

    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private ConfigurationAdmin configurations;
    @Inject
    private CommandProcessor processor;

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedIgd(), mediatorIgd(), configuration(PID, RULES), mediatorGuard(), shell()};
    }

    @Before
    public void waitForDeviceAndGuard() throws Exception {
        Await.until("the device appears", () -> admin.devices().stream().anyMatch(device -> device.address().equals(IGD)));
        Await.until("the guard is asked first", () -> guards().stream().anyMatch(mediator -> mediator.name().equals("guard-igd")));
        assertThat(admin.mediators().getFirst().name()).as("a ranking from a text").isEqualTo("guard-igd");
        Await.until("the guard takes the device", () -> {
            try (VfioDevice _ = vfio.open(IGD, Client.standard("itest"))) {
                return hasTheGuard();
            }
        });
        try (VfioDevice device = open()) {
            awaitRules("its rules are in force", lines -> lines.size() == RULES.size() - 2);
        }
    }

    @After
    public void restoreRules() throws Exception {
        configurations.getConfiguration(PID, "?").update(new Hashtable<>(RULES));
    }

    private void change(Map<String, Object> rules) throws Exception {
        Dictionary<String, Object> changed = new Hashtable<>(Map.of("devices", "8086:5927", "service.ranking", "100"));
        rules.forEach(changed::put);
        configurations.getConfiguration(PID, "?").update(changed);
    }

    private List<String> shown() throws Exception {
        return new Gogo(processor).run("vfio:guard 00:02.0").lines().toList();
    }

    private void awaitRules(String what, Predicate<List<String>> condition) throws Exception {
        Await.until(what, () -> condition.test(shown()));
    }

    @Test
    public void changedRulesHoldAtOnceForAnOpenDevice() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            assertRefused(Errno.EACCES, () -> registers.read(STORAGE));
            registers.write(FENCE, 1);
            change(Map.of("rule.1", "deny access bar0:0x100000"));
            Await.until("the new rule holds", () -> isRefused(() -> registers.write(FENCE, 2)));
            registers.read(STORAGE);
            change(Map.of("devices", "8086:ffff", "rule.1", "deny access bar0"));
            Await.until("it guards the device no more", () -> !isRefused(() -> registers.write(FENCE, 3)));
            assertThat(registers.read(FENCE)).isEqualTo(3);
            assertThat(admin.device(IGD).mediator()).as("it has the device still").hasValue("guard-igd");
        }
    }

    /** Each thread has a register of its own, and reads back what was not refused. */
    @Test
    public void noAccessIsLostWhileRulesChange() throws Exception {
        try (VfioDevice device = open();
                var threads = new AccessingThreads(device, 4, thread -> new CheckedRegister(FENCE + 0x10 + 8L * thread))) {
            for (int i = 0; i < 20; i++) {
                String denied = i % 2 == 0 ? "deny write bar0:0x100010-0x10001f" : "deny write bar0:0x100020-0x10002f";
                change(Map.of("rule.1", denied));
                awaitRules("rule " + i, lines -> lines.size() == 1 && lines.getFirst().endsWith(denied));
                threads.awaitRounds(20);
            }
            assertThat(admin.stats(IGD).mediated()).isPositive();
        }
    }

    private static final class CheckedRegister implements AccessingThreads.Round {
        private final long offset;
        private int last;
        private int next;

        CheckedRegister(long offset) {
            this.offset = offset;
        }

        @Override
        public void run(Registers registers) throws VfioException {
            try {
                registers.write(offset, ++next);
                last = next;
            } catch (VfioException refused) {
                assertThat(refused.errno()).isEqualTo(Errno.EACCES);
            }
            assertThat(registers.read(offset)).isEqualTo(last);
        }
    }

    @Test
    public void refusesAWindowAndShowsOnesThatStand() throws Exception {
        try (VfioDevice device = open()) {
            map(device, 0x10_0000, true);
            map(device, 0x20_0000, false);
            change(Map.of("rule.1", "deny write dma", "rule.2", "log access dma size=0x1000"));
            try (var logged = new LoggedLines(Level.INFO)) {
                Await.until("the new rule holds", () -> isRefused(() -> map(device, 0x30_0000, true)) || unmapped(device));
                map(device, 0x40_0000, false);
                Await.until("it is told", () -> !logged.with("rule=2 window iova=0x400000 size=0x1000 access=r").isEmpty());
            }
            assertThat(shown()).anyMatch(line -> line.contains("rule=1 ") && line.contains("standing=1 text=deny write dma"));
            device.dmaUnmapAll();
            assertThat(shown()).anyMatch(line -> line.contains("rule=1 ") && line.contains("standing=0 text=deny write dma"));
        }
    }

    @Test
    public void tellsOneThatIsBoundLaterOfTheWindowsThatThereAre() throws Exception {
        change(Map.of("devices", "8086:ffff", "rule.1", "log read bar0"));
        Await.until("it takes the device no more", () -> {
            try (VfioDevice device = vfio.open(IGD, Client.standard("itest"))) {
                return admin.device(IGD).mediator().filter("guard-igd"::equals).isEmpty();
            }
        });
        try (var logged = new LoggedLines(Level.INFO); VfioDevice device = vfio.open(IGD, Client.standard("itest"))) {
            map(device, 0x10_0000, true);
            change(Map.of("rule.1", "deny access dma:0x100000"));
            Await.until("it takes it again", () -> rebinds());
            assertThat(logged.with("rule=1 window iova=0x100000 size=0x1000 access=rw was made before: it stays")).isNotEmpty();
            assertThat(shown()).anyMatch(line -> line.contains("standing=1"));
        }
    }

    private boolean rebinds() {
        try {
            new Gogo(processor).run("vfio:rebind 00:02.0 guard-igd");
            return true;
        } catch (Exception notYet) { // checkstyle: allow IllegalCatch: whatever a command throws
            return false;
        }
    }

    /** Takes back what was mapped before the rule held. */
    private static boolean unmapped(VfioDevice device) throws VfioException {
        device.dmaUnmap(0x30_0000, 0x1000);
        return false;
    }

    private static void map(VfioDevice device, long iova, boolean writable) throws VfioException {
        device.dmaMap(new DmaMapping(iova, 0x1000, true, writable, new DmaBacking.Segment(Arena.ofAuto().allocate(0x1000))));
    }

    @Test
    public void hasAClientThatIsToldUnmapThePageANewRuleNeeds() throws Exception {
        var client = new Client("told", Set.of(Client.Feature.DISABLABLE_AREAS, Client.Feature.EVENT_IDS));
        try (VfioDevice device = vfio.open(IGD, client); var registers = new Registers(device)) {
            var map = device.map(0, 0x8000, 0x1000);
            registers.write(TRAP_INFO, 0, device.registerEvent(map::close));
            change(Map.of("rule.1", "deny access bar0:0x8010"));
            awaitRules("nobody bypasses it", lines -> lines.size() == 1
                && lines.getFirst().contains("unmapped=0x8000-0x8fff bypassed=none"));
            assertRefused(Errno.EACCES, () -> registers.read(0x8010));
        }
    }

    @Test
    public void saysWhichClientBypassesANewRule() throws Exception {
        try (var logged = new LoggedLines(); VfioDevice device = open()) {
            var map = device.map(0, 0x8000, 0x1000);
            change(Map.of("rule.1", "deny access bar0:0x8010"));
            Await.until("it is told", () -> !logged.with("rule=1 is bypassed in mapped pages 0x8000-0x8fff by client=itest").isEmpty());
            assertThat(shown()).anyMatch(line -> line.contains("bypassed=0x8000-0x8fff by client=itest"));
            map.close();
            assertThat(shown()).anyMatch(line -> line.contains("bypassed=none"));
        }
    }

    @Test
    public void isInTheHelpOfTheShell() throws Exception {
        var gogo = new Gogo(processor);
        assertThat(gogo.run("vfio:help").lines()).anyMatch(line -> line.startsWith("vfio:guard [ADDRESS]") && line.contains("bypassed"));
        assertThat(gogo.run("vfio:help guard")).isEqualTo(gogo.run("vfio:guard -h")).startsWith("vfio:guard");
    }

    @Test
    public void deniesAnAddressOutsideItsWindow() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            registers.write(RING_START, 0x1_1000);
            assertRefused(Errno.EACCES, () -> registers.write(RING_START, 0x2_0000));
            assertThat(registers.read(RING_START)).as("unchanged").isEqualTo(0x1_1000);
        }
    }

    @Test
    public void limitsARate() throws Exception {
        try (VfioDevice device = open(); var registers = new Registers(device)) {
            for (int i = 0; i < 3; i++) {
                registers.write(RING_TAIL, 8 * i);
            }
            assertRefused(Errno.EAGAIN, () -> registers.write(RING_TAIL, 0x100));
            assertThat(registers.read(RING_TAIL)).as("reads are not limited").isEqualTo(0x10);
            Await.until("the next is let through", () -> passes(registers));
        }
    }

    @Test
    public void logsAndLetsPass() throws Exception {
        try (var logged = new LoggedLines(Level.INFO); VfioDevice device = open(); var registers = new Registers(device)) {
            registers.write(FENCE, 0x1234_5001);
            Await.until("it is told", () -> !logged.with("rule=3 write offset=0x100000 count=4 value=0x12345001").isEmpty());
            assertThat(registers.read(FENCE)).isEqualTo(0x1234_5001);
        }
    }

    @Test
    public void unmapsThePageThatWouldBypassARuleAndSaysSo() throws Exception {
        try (var logged = new LoggedLines(Level.INFO); VfioDevice device = open(); var registers = new Registers(device)) {
            List<MmapArea> areas = device.regionInfo(0).sparseMmap().orElseThrow().areas();
            assertThat(areas).contains(new MmapArea(0x8000, 0x1000, false), new MmapArea(0xA000, 0x6000, false))
                .noneMatch(area -> area.offset() <= STORAGE && STORAGE < area.end());
            assertRefused(Errno.EINVAL, () -> device.map(0, STORAGE, 0x1000));
            device.map(0, 0x8000, 0x1000).close();
            assertRefused(Errno.EACCES, () -> registers.read(STORAGE));
            assertThat(logged.with("rule=4 would be bypassed in mapped pages 0x9000-0x9fff")).hasSize(1);
            assertThat(new Gogo(processor).run("vfio:guard").lines())
                .anyMatch(line -> line.startsWith("0000:00:02.0: guard-igd rule=4 matched=1 refused=1 unmapped=0x9000-0x9fff"));
        }
    }

    @Test
    public void aWrongRuleIsToldAndLeavesTheOthersInForce() throws Exception {
        try (var logged = new LoggedLines(Level.INFO); VfioDevice device = open(); var registers = new Registers(device)) {
            change(Map.of("rule.1", "refuse write bar0"));
            Await.until("it is told", () -> !logged.with("action=refuse expected=deny, limit, log or pass").isEmpty());
            assertThat(logged.with("key=rule.1 value=\"refuse write bar0\"")).isNotEmpty();
            assertRefused(Errno.EACCES, () -> registers.read(STORAGE));
            assertThat(shown()).hasSize(RULES.size() - 2);
            try (VfioDevice again = vfio.open(IGD, Client.standard("another")); var others = new Registers(again)) {
                assertRefused(Errno.EACCES, () -> others.read(STORAGE));
            }
        }
    }

    private static boolean isRefused(ThrowingCallable call) throws Exception {
        try {
            call.call();
            return false;
        } catch (VfioException refused) {
            assertThat(refused.errno()).isEqualTo(Errno.EACCES);
            return true;
        } catch (Throwable other) { // checkstyle: allow IllegalCatch: what the call declares
            throw new AssertionError(other);
        }
    }

    private static boolean passes(Registers registers) throws VfioException {
        try {
            registers.write(RING_TAIL, 0x100);
            return true;
        } catch (VfioException refused) {
            assertThat(refused.errno()).isEqualTo(Errno.EAGAIN);
            return false;
        }
    }

    private List<MediatorStatus> guards() {
        return admin.mediators().stream().filter(mediator -> mediator.bundle().startsWith("mediator.guard")).toList();
    }

    private VfioDevice open() throws VfioException {
        VfioDevice device = vfio.open(IGD, Client.standard("itest"));
        assertThat(hasTheGuard()).isTrue();
        return device;
    }

    private boolean hasTheGuard() {
        return guards().stream().anyMatch(mediator -> mediator.devices().contains(IGD));
    }

    private static void assertRefused(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(VfioException.class, refusal -> assertThat(refusal.errno()).isEqualTo(errno));
    }
}
