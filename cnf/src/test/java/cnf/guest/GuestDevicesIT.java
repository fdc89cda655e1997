// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.assertj.core.api.Assertions.assertThat;

import cnf.LaunchedRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestWatcher;
import org.junit.jupiter.api.io.TempDir;

/** A virtual function and a graphics device in one guest, from its boot to its power-off. */
@ExtendWith(NeedsGuest.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class GuestDevicesIT {
    /** The devices' addresses in the guest. */
    private static final String VF = "0000:00:04.0";
    private static final String IGD = "0000:00:02.0";

    private static final Pattern LOOP = Pattern.compile("mmio: end: (\\d+) accesses, (\\d+) wrong, (\\d+)/s, .*");
    private static final String LOOP_LINE = "mmio: \\d+ accesses, .*";
    /** A word in a page that is mapped: polling it costs no access. The simulated device gives it no meaning. */
    private static final String STOP_WORD = "0x1000";
    private static final int BUNDLE_ID = 2;
    private static final int ACCEPTED = 5;

    @TempDir
    private static Path folder;
    private static Path initrd;
    private static Host host;
    private static Guest guest;

    @RegisterExtension
    private final TestWatcher logs = new TestWatcher() {
        @Override
        public void testFailed(ExtensionContext context, Throwable cause) {
            printLogs();
        }
    };

    @BeforeAll
    static void boot() throws Exception {
        initrd = Guest.initrd(folder);
        host = Host.start(Files.createDirectory(folder.resolve("host")), Map.of(), Host.VF, Host.IGD);
        boolean booted = false;
        try {
            guest = Guest.boot(Files.createDirectory(folder.resolve("first")), initrd, host.at(Host.VF, "4"), host.at(Host.IGD, "2"));
            guest.run("enable " + VF + " && enable " + IGD);
            booted = true;
        } finally {
            if (!booted) {
                System.out.println(host.transcript());
                host.close();
            }
        }
    }

    @AfterAll
    static void end() throws Exception {
        try {
            if (guest != null) {
                guest.close();
            }
        } finally {
            if (host != null) {
                host.close();
                assertThat(folder.resolve("host")).isDirectoryNotContaining("glob:**.sock");
            }
        }
    }

    private static void printLogs() {
        try {
            System.out.println(guest.transcript());
        } catch (IOException e) {
            System.out.println(e);
        }
        System.out.println(host.transcript());
    }

    @Test
    @Order(1)
    void showsIdsAndBarSizes() throws Exception {
        assertThat(guest.ask("ids " + VF)).isEqualTo("8086:154c").isEqualTo(host.property(Host.VF, "id"));
        assertThat(guest.ask("bars " + VF)).isEqualTo("bar0=0x10000 bar3=0x4000").isEqualTo(hostBars(Host.VF));
        assertThat(guest.ask("ids " + IGD)).isEqualTo("8086:5927").isEqualTo(host.property(Host.IGD, "id"));
        assertThat(guest.ask("bars " + IGD)).isEqualTo("bar0=0x1000000 bar2=0x10000000 bar4=0x40").isEqualTo(hostBars(Host.IGD));
    }

    @Test
    @Order(2)
    void readsTheResetStatusThroughTheMediator() throws Exception {
        assertThat(host.property(Host.VF, "mediator")).isEqualTo("i40e");
        Host.Stats before = host.stats(Host.VF);
        assertThat(guest.ask("mmio.py " + VF + " 0 r 0x8800 4")).isEqualTo("0x00000002");
        assertThat(host.stats(Host.VF).since(before)).isEqualTo(new Host.Stats(1, 0, 0, 0, 0));
    }

    @Test
    @Order(3)
    void passesOtherRegistersThrough() throws Exception {
        Host.Stats before = host.stats(Host.VF);
        assertThat(guest.ask("mmio.py " + VF + " 0 w 0x7C00 4 0x12345000 + r 0x7C00 4")).isEqualTo("0x12345000");
        assertThat(host.ask("sim:peek " + Host.VF + " 0 0x7C00 4")).isEqualTo("0x12345000");
        assertThat(host.stats(Host.VF).since(before)).isEqualTo(new Host.Stats(0, 2, 0, 0, 0));
    }

    @Test
    @Order(4)
    void sharesMappedPagesWithoutAnAccess() throws Exception {
        Host.Stats vfBefore = host.stats(Host.VF);
        Host.Stats igdBefore = host.stats(Host.IGD);
        // QTX_TAIL1(0) of the VF; any word of the graphics device's aperture.
        shares(VF, Host.VF, "0", "0x0000");
        shares(IGD, Host.IGD, "2", "0x200000");
        assertThat(host.stats(Host.VF).since(vfBefore)).isEqualTo(new Host.Stats(0, 0, 0, 0, 0));
        assertThat(host.stats(Host.IGD).since(igdBefore)).isEqualTo(new Host.Stats(0, 0, 0, 0, 0));
    }

    @Test
    @Order(5)
    void trapsAnAreaThatCanBeSwitchedToTrapped() throws Exception {
        Host.Stats before = host.stats(Host.VF);
        // QRX_TAIL1(1). QEMU cannot be told to unmap an area later on, so it has not got this one.
        shares(VF, Host.VF, "0", "0x2004");
        assertThat(host.stats(Host.VF).since(before)).isEqualTo(new Host.Stats(0, 3, 3, 0, 0));
    }

    private static void shares(String inGuest, String onHost, String bar, String offset) throws Exception {
        assertThat(guest.ask("mmio.py %s %s w %s 4 0x155 + r %3$s 4".formatted(inGuest, bar, offset))).isEqualTo("0x00000155");
        assertThat(host.ask("sim:peek %s %s %s 4".formatted(onHost, bar, offset))).isEqualTo("0x00000155");
        host.run("sim:poke %s %s %s 4 0x1aa".formatted(onHost, bar, offset));
        assertThat(guest.ask("mmio.py %s %s r %s 4".formatted(inGuest, bar, offset))).isEqualTo("0x000001aa");
    }

    @Test
    @Order(6)
    void keepsConfigBitsThatMayNotBeWritten() throws Exception {
        // Ids.
        assertThat(guest.ask(config(VF, "w 0 4 0xFFFFFFFF + r 0 4"))).isEqualTo("0x154c8086");
        assertThat(host.ask("vfio:read " + Host.VF + " config 0 4")).isEqualTo("0x154c8086");
        // COMMAND: memory, bus master, parity, SERR, INTx disable; what a virtual function has no use for stays 0.
        String command = guest.ask(config(VF, "r 4 2"));
        String all = guest.ask(config(VF, "w 4 2 0xFFFF + r 4 2"));
        assertThat(all).isEqualTo("0x0547");
        assertThat(host.ask("vfio:read " + Host.VF + " config 4 2")).isEqualTo(all);
        // BAR sizing, with decoding off as it must be.
        String bar = guest.ask(config(VF, "r 0x10 4"));
        assertThat(guest.run(config(VF, "w 4 2 0 + r 4 2 + w 0x10 4 0xFFFFFFFF + r 0x10 4")))
            .containsExactly("0x0000", "0xffff000c");
        assertThat(host.ask("vfio:read " + Host.VF + " config 0x10 4")).isEqualTo("0xffff000c");
        assertThat(guest.run(config(VF, "w 0x10 4 " + bar + " + r 0x10 4 + w 4 2 " + command + " + r 4 2")))
            .containsExactly(bar, command);
        assertThat(guest.ask("mmio.py " + VF + " 0 r 0x8800 4")).isEqualTo("0x00000002");
    }

    private static String config(String device, String operations) {
        return "mmio.py " + device + " config " + operations;
    }

    @Test
    @Order(7)
    void isResetByTheGuest() throws Exception {
        guest.run("mmio.py " + VF + " 0 w 0x0 4 0x77 + w 0x6C00 4 0x9000 + w 0x8000 4 0x80000020");
        assertThat(host.ask("sim:peek " + Host.VF + " 0 0x8000 4")).isEqualTo("0x80000020");
        guest.run("reset " + VF);
        assertThat(guest.run("mmio.py " + VF + " 0 r 0x0 4 + r 0x6C00 4 + r 0x8000 4 + r 0x8800 4"))
            .containsExactly("0x00000000", "0x00000000", "0x00000000", "0x00000002");
        assertThat(host.ask("sim:peek " + Host.VF + " 0 0x8000 4")).isEqualTo("0x00000000");
        assertThat(guest.ask(config(VF, "r 0 4"))).isEqualTo("0x154c8086");
    }

    @Test
    @Order(8)
    void receivesInterrupts() throws Exception {
        Host.Stats before = host.stats(Host.VF);
        // DYN_CTLN1(1), that of vector 2: INTENA, SWINT_TRIG, no throttling index, as the Linux driver asks for a software interrupt.
        Guest.Running msix = guest.start("msix.py " + VF + " arm 5 wait 1 60 write 0 0x3804 4 0x0100001D wait 2 60 quiet 0 0.1 disarm");
        msix.await("msix: " + VF + " has 5 vectors");
        msix.await("msix: armed 5");
        host.run("sim:interrupt " + Host.VF + " 1");
        msix.await("msix: vector 1 arrived 1");
        msix.await("msix: vector 2 arrived 1");
        assertThat(msix.awaitEnd()).containsExactly("msix: vector 0 quiet", "msix: disarmed");
        assertThat(host.stats(Host.VF).since(before).interrupts()).isEqualTo(2);
        // The driver moved the device into a domain of its own, for which QEMU unmapped and mapped all there is.
        assertThat(host.property(Host.VF, "refused requests")).isEqualTo("0");
    }

    @Test
    @Order(9)
    void trapsTheAreaOfTheGraphicsMediator() throws Exception {
        assertThat(host.property(Host.IGD, "mediator")).isEqualTo("igd");
        assertThat(host.property(Host.IGD, "trapping")).isEqualTo("no");
        Host.Stats before = host.stats(Host.IGD);
        // The first access below the area starts trapping, one inside ends it, and that is all.
        guest.run("mmio.py " + IGD + " 0 w 0x2030 4 0x40");
        assertThat(host.property(Host.IGD, "trapping")).isEqualTo("yes");
        assertThat(guest.run("mmio.py " + IGD + " 0 w 0x9000 4 0x5927 + r 0x9000 4 + r 0x2030 4"))
            .containsExactly("0x00005927", "0x00000040");
        assertThat(host.property(Host.IGD, "trapping")).isEqualTo("no");
        assertThat(host.ask("sim:peek " + Host.IGD + " 0 0x9000 4")).isEqualTo("0x00005927");
        // The two inside are trapped anyway: QEMU cannot be told to unmap an area later on, so it has not got this one.
        assertThat(host.stats(Host.IGD).since(before)).isEqualTo(new Host.Stats(4, 0, 2, 0, 0));
    }

    @Test
    @Order(10)
    void losesNoReadWhileTheMediatorIsUninstalledAndInstalled() throws Exception {
        // VFGEN_RSTAT, and each access is a read.
        swapDuring("loop 0x8800 4 2", 1);
    }

    /** Has the guest access a register the mediator looks at, for as long as it takes to uninstall and install the mediator. */
    private static void swapDuring(String operation, int accessesEach) throws Exception {
        host.run("sim:poke %s 0 %s 4 0".formatted(Host.VF, STOP_WORD));
        Host.Stats before = host.stats(Host.VF);
        Guest.Running loop = guest.start("mmio.py " + VF + " 0 " + operation + " 300 " + STOP_WORD + "=1");
        loop.await(LOOP_LINE);
        Host.Stats mediated = host.stats(Host.VF).since(before);
        assertThat(mediated.mediated()).isPositive();
        assertThat(mediated.passedThrough()).isZero();

        host.run("uninstall " + host.mediator("i40e").get(BUNDLE_ID));
        assertThat(host.mediator("i40e")).isEmpty();
        Host.Stats uninstalled = host.stats(Host.VF);
        // The first of these lines may tell of the time before.
        loop.await(LOOP_LINE);
        loop.await(LOOP_LINE);
        Host.Stats passed = host.stats(Host.VF).since(uninstalled);
        assertThat(passed.mediated()).isZero();
        assertThat(passed.passedThrough()).isPositive();

        install();
        loop.await(LOOP_LINE);
        loop.await(LOOP_LINE);
        assertThat(host.stats(Host.VF).since(uninstalled).mediated()).as("a mediator binds at the next open").isZero();
        host.run("sim:poke %s 0 %s 4 1".formatted(Host.VF, STOP_WORD));
        Matcher end = LOOP.matcher(loop.awaitEnd().getLast());
        assertThat(end.matches()).isTrue();
        assertThat(end.group(2)).as("wrong values").isEqualTo("0");
        assertThat(Long.parseLong(end.group(3))).as("checked values a second").isGreaterThanOrEqualTo(500);
        // Each one came once, to the mediator or past it.
        assertThat(host.stats(Host.VF).since(before).accesses()).isEqualTo(accessesEach * Long.parseLong(end.group(1)));
    }

    private static void install() throws InterruptedException {
        List<String> installed = host.run("install file:" + LaunchedRuntime.DISTRIBUTION.resolve("bundle/mediator.i40e.jar"));
        host.run("start " + installed.getFirst().replace("Bundle ID: ", ""));
        assertThat(host.mediator("i40e")).isNotEmpty();
    }

    @Test
    @Order(11)
    void isMediatedAgainForTheNextGuestAfterPowerOff() throws Exception {
        assertThat(guest.powerOff()).isZero();
        assertThat(host.mediator("i40e").get(ACCEPTED)).isEqualTo("0");
        guest.close();
        guest = Guest.boot(Files.createDirectory(folder.resolve("second")), initrd, host.at(Host.VF, "4"), host.at(Host.IGD, "2"));
        assertThat(host.mediator("i40e").get(ACCEPTED)).isEqualTo("1");
        guest.run("enable " + VF);
        Host.Stats before = host.stats(Host.VF);
        assertThat(guest.ask("mmio.py " + VF + " 0 loop 0x8800 4 2 0.1 | tail -n 1")).matches("mmio: end: .*, 0 wrong, .*");
        Host.Stats after = host.stats(Host.VF).since(before);
        assertThat(after.mediated()).isPositive();
        assertThat(after.passedThrough()).isZero();
    }

    @Test
    @Order(12)
    void losesNoWriteWhileTheMediatorIsUninstalledAndInstalled() throws Exception {
        // The low byte of VF_ARQLEN1, a length, keeps what is written; each value is written and read.
        swapDuring("echo 0x8000 1", 2);
        assertThat(guest.powerOff()).isZero();
    }

    private static String hostBars(String address) {
        return String.join(" ", host.run("vfio:device " + address).stream().filter(row -> row.matches("bar\\d .*"))
            .map(row -> row.split(" +")).map(cells -> cells[0] + "=" + cells[1]).toList());
    }
}
