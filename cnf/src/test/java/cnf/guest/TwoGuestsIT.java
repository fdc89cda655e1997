// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.assertj.core.api.Assertions.assertThat;

import cnf.guest.Host.Held;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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
import vfio.user.wire.client.ClientMemory;
import vfio.user.wire.client.VfioUserClient;

/**
 * Two guests at once on one server. The first has, beside its virtual function, two devices of which no page can be mapped, one of them
 * with {@code x-no-posted-writes}, and a graphics device that is plugged out and in.
 */
@ExtendWith(NeedsGuest.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class TwoGuestsIT {
    /** Physical functions of an id that no driver here takes, so that they can be served; they have registers and no memory. */
    private static final String POSTED = "0000:5e:00.0";
    private static final String NOT_POSTED = "0000:5f:00.0";
    /** A graphics device, which has no MSI-X: QEMU 11.1 aborts when a vfio-user device that has the capability is plugged out. */
    private static final String PLUGGED = "0000:00:05.0";
    private static final String GRAPHICS = "address = %s%nid = 8086:5927%naperture.mib = 128%n";
    private static final String CARD = "address = %s%nid = 8086:7fff%nvfs = 1%nvf.id = 8086:154c%nvf.offset = 16%nvf.stride = 1%n";

    /** Addresses in the guests. */
    private static final String VF_IN = "0000:00:04.0";
    private static final String POSTED_IN = "0000:00:06.0";
    private static final String NOT_POSTED_IN = "0000:00:07.0";
    private static final String PLUGGED_IN = "0000:01:00.0";
    private static final String ID = "plugged";

    private static final int CONFIG = 7;
    private static final int PAGE = 0x1000;
    private static final int PAGES = 64;
    private static final long LENT_FROM = 0x1000_0000L;
    private static final Pattern LENT = Pattern.compile(".* > .* flags=0x\\w+ iova=0x100[0-3]\\w{4} size=0x1000\\b.*");
    private static final Pattern LOOP = Pattern.compile("mmio: end: (\\d+) accesses, 0 wrong, .*");
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    private static Path folder;
    private static Host host;
    private static Guest first;
    private static Guest second;
    private static Qmp monitor;
    private static Held nothing;

    @RegisterExtension
    private final TestWatcher logs = new TestWatcher() {
        @Override
        public void testFailed(ExtensionContext context, Throwable cause) {
            try {
                System.out.println(first.transcript() + second.transcript() + host.transcript());
            } catch (IOException e) {
                System.out.println(e);
            }
        }
    };

    @BeforeAll
    static void boot() throws Exception {
        Path initrd = Guest.initrd(folder);
        host = Host.start(Files.createDirectory(folder.resolve("host")), Map.of("device.sim.xl710-posted.cfg", CARD.formatted(POSTED),
            "device.sim.xl710-answered.cfg", CARD.formatted(NOT_POSTED), "device.sim.igd-plugged.cfg", GRAPHICS.formatted(PLUGGED)),
            Host.VF, Host.SECOND_VF, PLUGGED, POSTED, NOT_POSTED);
        boolean booted = false;
        try {
            nothing = host.held();
            Path qmp = folder.resolve("qmp");
            first = Guest.begin(Files.createDirectory(folder.resolve("first")), initrd, List.of(host.at(Host.VF, "4"),
                host.at(POSTED, "6"), host.at(NOT_POSTED, "7") + ",x-no-posted-writes=true",
                host.at(PLUGGED, "0") + ",bus=root1,id=" + ID),
                List.of("-device", "pcie-root-port,id=root1,addr=5,chassis=1", "-qmp", "unix:" + qmp + ",server=on,wait=off"));
            second = Guest.begin(Files.createDirectory(folder.resolve("second")), initrd, List.of(host.at(Host.SECOND_VF, "4")), List.of());
            first.awaitReady();
            second.awaitReady();
            monitor = new Qmp(qmp);
            first.run(Stream.of(VF_IN, POSTED_IN, NOT_POSTED_IN, PLUGGED_IN).map("enable "::concat).reduce((a, b) -> a + " && " + b).get());
            second.run("enable " + VF_IN);
            booted = true;
        } finally {
            if (!booted) {
                System.out.println(host.transcript());
                end();
            }
        }
    }

    @AfterAll
    static void end() throws Exception {
        try (Host runtime = host; Guest one = first; Guest other = second; Qmp qmp = monitor) {
            assertThat(runtime).isNotNull();
        }
    }

    @Test
    @Order(1)
    void postsWritesToADeviceOfWhichNothingIsMapped() throws Exception {
        List<String> messages = writeAndRead(POSTED, POSTED_IN);
        assertThat(messages).satisfiesExactly(write -> assertThat(write).contains("REGION_WRITE no-reply region=0x0 offset=0x74400 "),
            read -> assertThat(read).contains("REGION_READ region=0x0 offset=0x74400 "),
            answer -> assertThat(answer).contains("REGION_READ reply "));
    }

    @Test
    @Order(2)
    void waitsForWritesWhenTheyAreNotPosted() throws Exception {
        List<String> messages = writeAndRead(NOT_POSTED, NOT_POSTED_IN);
        assertThat(messages).satisfiesExactly(write -> assertThat(write).contains("REGION_WRITE region=0x0 offset=0x74400 "),
            answer -> assertThat(answer).contains("REGION_WRITE reply "),
            read -> assertThat(read).contains("REGION_READ region=0x0 offset=0x74400 "),
            answer -> assertThat(answer).contains("REGION_READ reply "));
    }

    /** VFGEN_RSTAT1(0), two bits that keep what is written. */
    private static List<String> writeAndRead(String onHost, String inGuest) throws Exception {
        try (Program trace = host.trace(onHost)) {
            assertThat(first.ask("mmio.py " + inGuest + " 0 w 0x74400 4 1 + r 0x74400 4")).isEqualTo("0x00000001");
            int end = trace.await("shows the read", 1, line -> line.contains("REGION_READ reply "), SOON);
            assertThat(host.ask("sim:peek " + onHost + " 0 0x74400 4")).isEqualTo("0x00000001");
            return trace.linesFrom(1).subList(0, end - 1);
        }
    }

    @Test
    @Order(3)
    void mapsEachPageThatTheGuestLendsBehindItsIommu() throws Exception {
        Held before = host.held();
        try (Program trace = host.trace(Host.VF)) {
            Guest.Running msix = first.start("msix.py %s arm 1 map 0x%x %d wait 0 60 read 0 0x8800 4 unmap 0x%x %d disarm".formatted(VF_IN,
                LENT_FROM, PAGES, LENT_FROM, PAGES));
            msix.await("msix: mapped " + PAGES + " pages");
            trace.await("maps all pages", 1, line -> line.contains("DMA_MAP reply") && lent(trace, "DMA_MAP") == PAGES, SOON);
            // All pages are of one file, which the server maps once, until the guest has taken back the last.
            assertThat(host.held().mappings()).isEqualTo(before.mappings() + 1);
            host.run("sim:interrupt " + Host.VF + " 0");
            msix.await("msix: vector 0 arrived 1");
            assertThat(msix.awaitEnd()).containsExactly("msix: read 0x00000002", "msix: unmapped " + PAGES + " pages", "msix: disarmed");
            trace.await("unmaps all pages", 1, line -> line.contains("DMA_UNMAP reply") && lent(trace, "DMA_UNMAP") == PAGES, SOON);
            assertThat(trace.linesFrom(1)).noneMatch(line -> line.contains("error=") || line.contains("dropped="));
            await("lets go of all pages", () -> host.held().mappings() == before.mappings());
        }
        assertThat(host.property(Host.VF, "refused requests")).isEqualTo("0");
    }

    private static long lent(Program trace, String command) {
        return trace.linesFrom(1).stream().filter(line -> line.contains(" > ") && line.contains(" " + command + " ")
            && LENT.matcher(line).matches()).count();
    }

    @Test
    @Order(4)
    void isPluggedOutAndInWithoutMsix() throws Exception {
        usePlugged();
        Held plugged = host.held();
        plugOut();
        // What a device held goes one by one, after its last client.
        await("lets go of memory and events", () -> host.held().descriptors() < plugged.descriptors()
            && host.held().mappings() < plugged.mappings());
        Held out = host.held();

        // The socket serves the next one, whoever it is.
        try (var client = VfioUserClient.connect(host.socket(PLUGGED)); Arena arena = Arena.ofConfined();
                ClientMemory memory = ClientMemory.create(PAGE)) {
            client.mapDma(0, memory, true, true);
            MemorySegment word = arena.allocate(ValueLayout.JAVA_INT);
            client.read(CONFIG, 0, word, 0, Integer.BYTES);
            assertThat(word.get(ValueLayout.JAVA_INT, 0)).isEqualTo(0x59278086);
        }
        awaitHeld(out);

        monitor.execute("device_add", """
            {"driver":"vfio-user-pci","id":"%s","bus":"root1","x-msg-timeout":30000,"socket":{"type":"unix","path":"%s"}}"""
            .formatted(ID, host.socket(PLUGGED)));
        first.run("there " + PLUGGED_IN + " && enable " + PLUGGED_IN);
        usePlugged();
        plugOut();
        awaitHeld(out);
        // Nothing of that was felt by the neighbours.
        assertThat(first.ask("mmio.py " + VF_IN + " 0 r 0x8800 4")).isEqualTo("0x00000002");
        assertThat(second.ask("mmio.py " + VF_IN + " 0 r 0x8800 4")).isEqualTo("0x00000002");
    }

    /** A register that the mediator sees, and a word of the aperture, which is mapped. */
    private static void usePlugged() throws Exception {
        assertThat(first.ask("ids " + PLUGGED_IN)).isEqualTo("8086:5927");
        assertThat(host.property(PLUGGED, "mediator")).isEqualTo("igd");
        Host.Stats before = host.stats(PLUGGED);
        assertThat(first.ask("mmio.py " + PLUGGED_IN + " 0 w 0x2030 4 0x40 + r 0x2030 4")).isEqualTo("0x00000040");
        assertThat(first.ask("mmio.py " + PLUGGED_IN + " 2 w 0x100000 4 0x155 + r 0x100000 4")).isEqualTo("0x00000155");
        assertThat(host.ask("sim:peek " + PLUGGED + " 2 0x100000 4")).isEqualTo("0x00000155");
        assertThat(host.stats(PLUGGED).since(before)).isEqualTo(new Host.Stats(2, 0, 0, 0, 0));
    }

    private static void plugOut() throws Exception {
        monitor.execute("device_del", "{\"id\":\"" + ID + "\"}");
        monitor.await("DEVICE_DELETED", "\"" + ID + "\"");
        first.run("gone " + PLUGGED_IN);
        await("nobody has it open", () -> host.property(PLUGGED, "clients").equals("-"));
    }

    private static void awaitHeld(Held expected) throws Exception {
        await("holds no more than " + expected, () -> {
            Held now = host.held();
            return now.descriptors() <= expected.descriptors() && now.mappings() <= expected.mappings();
        });
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("%s; it holds %s", what, host.held()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    @Order(5)
    void keepsTheGuestsApart() throws Exception {
        Host.Stats firstBefore = host.stats(Host.VF);
        Host.Stats secondBefore = host.stats(Host.SECOND_VF);
        // The low byte of VF_ARQLEN1 keeps what is written; each value is written and read, while the other guest does the same.
        String echo = "mmio.py " + VF_IN + " 0 w 0x1000 4 %s + echo 0x8000 1 2 + r 0x1000 4";
        Guest.Running one = first.start(echo.formatted("0x11111111"));
        Guest.Running other = second.start(echo.formatted("0x22222222"));
        List<String> ofFirst = one.awaitEnd();
        List<String> ofSecond = other.awaitEnd();
        assertThat(ofFirst.getLast()).isEqualTo("0x11111111").isEqualTo(host.ask("sim:peek " + Host.VF + " 0 0x1000 4"));
        assertThat(ofSecond.getLast()).isEqualTo("0x22222222").isEqualTo(host.ask("sim:peek " + Host.SECOND_VF + " 0 0x1000 4"));
        assertThat(host.stats(Host.VF).since(firstBefore)).isEqualTo(echoed(ofFirst));
        assertThat(host.stats(Host.SECOND_VF).since(secondBefore)).isEqualTo(echoed(ofSecond));
    }

    private static Host.Stats echoed(List<String> printed) {
        Matcher end = LOOP.matcher(printed.get(printed.size() - 2));
        assertThat(end.matches()).as(printed.toString()).isTrue();
        long accesses = Long.parseLong(end.group(1));
        assertThat(accesses).isGreaterThan(100);
        return new Host.Stats(2 * accesses, 0, 0, 0, 0);
    }

    @Test
    @Order(6)
    void interruptsTheGuestThatHasTheDevice() throws Exception {
        Guest.Running one = first.start("msix.py " + VF_IN + " arm 2 wait 1 60 disarm");
        Guest.Running other = second.start("msix.py " + VF_IN + " arm 2 wait 0 60 quiet 1 0.1 disarm");
        one.await("msix: armed 2");
        other.await("msix: armed 2");
        host.run("sim:interrupt " + Host.VF + " 1");
        one.await("msix: vector 1 arrived 1");
        host.run("sim:interrupt " + Host.SECOND_VF + " 0");
        other.await("msix: vector 0 arrived 1");
        assertThat(one.awaitEnd()).containsExactly("msix: disarmed");
        assertThat(other.awaitEnd()).containsExactly("msix: vector 1 quiet", "msix: disarmed");
    }

    @Test
    @Order(7)
    void servesOneWhenTheOtherHasGoneAndHoldsNothingInTheEnd() throws Exception {
        assertThat(second.powerOff()).isZero();
        assertThat(first.ask("mmio.py " + VF_IN + " 0 r 0x8800 4")).isEqualTo("0x00000002");
        assertThat(first.powerOff()).isZero();
        awaitHeld(nothing);
    }
}
