// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestWatcher;
import org.junit.jupiter.api.io.TempDir;

/**
 * What Debian's own driver does with virtual functions, in one boot of two guests. {@code -Dvfio.guest.nic=e1000e} (or igb) does the same
 * with interfaces of QEMU's own, which says whether a fault is the scenario's. After each case the guests' kernel logs must hold no
 * warning.
 */
@ExtendWith(NeedsGuest.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class NetworkScenarios {
    private static final String NIC = System.getProperty("vfio.guest.nic", "iavf");

    private static final int PINGS = Station.NIGHTLY ? 1000 : 100;
    private static final int FLAPS = Station.NIGHTLY ? 50 : 5;
    private static final int RELOADS = Station.NIGHTLY ? 10 : 2;
    private static final int KIB = Station.NIGHTLY ? 8 << 10 : 4 << 10;
    private static final int PAYLOAD = 56;
    /** More than a frame, so that it is sent in fragments. */
    private static final int LARGE_PAYLOAD = 4000;
    private static final int JUMBO = 9000;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** What iavf says, as an error, whenever it finds that its function was reset: here because a case asked the kernel to do it. */
    private static final String RESET_WARNING = "iavf 0000:00:04.0: Hardware reset detected";

    @RegisterExtension
    private final TestWatcher logs = new TestWatcher() {
        @Override
        public void testFailed(ExtensionContext context, Throwable cause) {
            try {
                pair.printLogs();
            } catch (IOException e) {
                System.out.println(e);
            }
        }
    };

    private NetworkPair pair;
    private Station near;
    private Station beside;
    private Station far;

    /** The Debian release whose kernel the guests boot, empty for the usual one. */
    abstract String release();

    /** Whether queue tails may be mapped: mapped or trapped. */
    String doorbells() {
        return "mapped";
    }

    /** Runs a command for which the driver resets its function, and waits until that is over. */
    void reconfigure(Station station, String command) throws InterruptedException {
        station.run(command);
        station.change("wait");
    }

    @BeforeAll
    void boot(@TempDir Path folder) throws Exception {
        pair = "iavf".equals(NIC) ? NetworkPair.ofVirtualFunctions(folder, release(), doorbells())
            : NetworkPair.ofEmulated(folder, release(), NIC);
        near = pair.near();
        beside = pair.beside();
        far = pair.far();
        for (Guest guest : pair.guests()) {
            guest.run("modprobe " + NIC);
        }
        beside.change("move");
        for (Station each : List.of(near, beside, far)) {
            each.up();
        }
    }

    @AfterAll
    void end() throws InterruptedException {
        if (pair != null) {
            pair.close();
        }
    }

    @AfterEach
    void theDriversDidNothingWrong() {
        pair.host().ifPresent(host -> {
            for (String each : List.of(Host.VF, Host.SECOND_VF, Host.THIRD_VF)) {
                assertThat(host.counters(each)).containsEntry("malicious_driver_events", 0L).containsEntry("dma_faults", 0L);
            }
        });
    }

    @AfterEach
    void theKernelsWarnedOfNothing() throws InterruptedException {
        for (Guest guest : pair.guests()) {
            assertThat(guest.run("net log")).as("warnings of the kernel").isEmpty();
        }
    }

    @Test
    @Order(1)
    void saysWhatItIs() throws Exception {
        for (Station each : List.of(near, far)) {
            assertThat(each.run("ethtool -i " + each.name())).contains("driver: " + NIC, "bus-info: " + each.function());
            assertThat(each.driver()).isEqualTo(NIC);
            assertThat(each.ask("cat /sys/class/net/" + each.name() + "/address"))
                .isEqualTo(NetworkPair.hardwareAddress(each.number()));
            assertThat(each.run("ethtool " + each.name())).anyMatch(line -> line.endsWith("Link detected: yes"));
            assertThat(each.run("ethtool -S " + each.name())).anyMatch(line -> line.strip().startsWith("tx_"));
        }
    }

    @Test
    @Order(2)
    void losesNoEcho() throws Exception {
        near.pings(far.address(), PINGS, PAYLOAD);
        far.pings(near.address6(), PINGS, PAYLOAD);
        far.pings(near.address(), PINGS, LARGE_PAYLOAD);
    }

    @Test
    @Order(3)
    void losesNoEchoBetweenTwoFunctionsOfOneGuest() throws Exception {
        near.pings(beside.address(), PINGS, PAYLOAD);
        beside.pings(near.address6(), PINGS, LARGE_PAYLOAD);
        beside.pings(far.address(), PINGS, PAYLOAD);
        near.sends(beside.address(), KIB);
    }

    @Test
    @Order(4)
    void countsWhatItCarries() throws Exception {
        assumeTrue(pair.host().isPresent(), "QEMU's own do not say what they counted");
        Host host = pair.host().orElseThrow();
        for (String counter : List.of("tx_unicast", "tx_bytes", "rx_unicast", "rx_bytes")) {
            assertThat(near.counter(counter)).isGreaterThan(PINGS);
            // The driver asks for its counters when it likes to, and what it shows is of then.
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (near.counter(counter) != host.counters(Host.VF).get(counter)) {
                assertThat(System.nanoTime()).as("%s: %d in the guest, %s", counter, near.counter(counter), host.counters(Host.VF))
                    .isLessThan(end);
            }
        }
    }

    @Test
    @Order(5)
    void bringsBytesUnchanged() throws Exception {
        sendAllWays();
    }

    private void sendAllWays() throws InterruptedException {
        near.sends(far.address(), KIB);
        far.sends(near.address(), KIB);
        near.sends(far.address6(), KIB);
        far.sends(near.address6(), KIB);
    }

    @Test
    @Order(6)
    void bringsBytesUnchangedWithoutOffloads() throws Exception {
        var guests = List.of(near, far);
        for (Station each : guests) {
            each.offload("off", "tso");
        }
        sendAllWays();
        for (Station each : guests) {
            each.offload("off", "tx", "rx", "gro", "sg");
        }
        sendAllWays();
        for (Station each : guests) {
            each.offload("on", "sg", "tx", "rx", "gro", "tso");
        }
        sendAllWays();
    }

    @Test
    @Order(7)
    void bringsJumboFrames() throws Exception {
        for (Station each : List.of(near, far)) {
            reconfigure(each, "ip link set " + each.name() + " mtu " + JUMBO);
        }
        // 28 bytes are headers: these just fit.
        near.pings(far.address(), PINGS, JUMBO - 28);
        sendAllWays();
        for (Station each : List.of(near, far)) {
            each.offload("off", "tso");
        }
        sendAllWays();
        for (Station each : List.of(near, far)) {
            each.offload("on", "tso");
            reconfigure(each, "ip link set " + each.name() + " mtu 1500");
        }
        near.pings(far.address(), PINGS, PAYLOAD);
    }

    @Test
    @Order(8)
    void carriesVirtualLans() throws Exception {
        near.joinVlan();
        far.joinVlan();
        near.pings(far.vlanAddress(), PINGS, PAYLOAD);
        near.sends(far.vlanAddress(), KIB);
        far.sends(near.vlanAddress(), KIB);
        for (Station each : List.of(near, far)) {
            each.offload("off", "rxvlan", "txvlan");
        }
        near.sends(far.vlanAddress(), KIB);
        far.sends(near.vlanAddress(), KIB);
        for (Station each : List.of(near, far)) {
            each.offload("on", "rxvlan", "txvlan");
        }
        near.pings(far.vlanAddress(), PINGS, PAYLOAD);
    }

    @Test
    @Order(9)
    void comesBackWheneverTheGuestTakesItDown() throws Exception {
        near.run("net stream " + far.address());
        for (int flap = 0; flap < FLAPS; flap++) {
            near.change("down");
            near.change("back");
            near.pings(far.address(), 1, PAYLOAD);
            near.run("net flowing");
        }
        assertThat(near.ask("net streamed")).matches("[1-9]\\d* KiB");
    }

    @Test
    @Order(10)
    void comesBackWheneverTheHostTakesTheLinkDown() throws Exception {
        assumeTrue(pair.host().isPresent(), "QEMU's own link is not taken down");
        near.run("net stream " + far.address());
        for (int flap = 0; flap < FLAPS; flap++) {
            pair.host().orElseThrow().run("sim:link " + Host.VF + " down");
            near.change("lost");
            pair.host().orElseThrow().run("sim:link " + Host.VF + " up");
            near.change("wait");
            near.pings(far.address(), 1, PAYLOAD);
            near.run("net flowing");
        }
        assertThat(near.ask("net streamed")).matches("[1-9]\\d* KiB");
    }

    @Test
    @Order(11)
    void comesBackWheneverTheDriverIsLoaded() throws Exception {
        for (int load = 0; load < RELOADS; load++) {
            far.run("rmmod " + NIC + " && modprobe " + NIC);
            far.up();
            far.pings(near.address(), 10, PAYLOAD);
            near.sends(far.address6(), KIB);
        }
    }

    @Test
    @Order(12)
    void comesBackAfterAReset() throws Exception {
        for (Station each : List.of(near, far)) {
            each.run("echo 1 >/sys/bus/pci/devices/" + each.function() + "/reset");
            each.run("net reach " + beside.address());
            each.pings(beside.address(), PINGS, PAYLOAD);
            if (pair.host().isPresent()) {
                assertThat(each.run("net log")).singleElement().asString().endsWith(RESET_WARNING);
            }
        }
        sendAllWays();
    }

    @Test
    @Order(13)
    void changesItsQueues() throws Exception {
        assumeTrue(pair.host().isPresent(), "QEMU's own number of queues is fixed");
        for (int queues : List.of(1, 4, 2)) {
            reconfigure(near, "ethtool -L " + near.name() + " combined " + queues);
            near.pings(far.address(), PINGS, PAYLOAD);
            near.sends(far.address(), KIB);
            far.sends(near.address6(), KIB);
        }
    }

    @Test
    @Order(14)
    void worksOnWhenTheMediatorHasGone() throws Exception {
        assumeTrue(pair.host().isPresent(), "QEMU's own are never mediated");
        Host host = pair.host().orElseThrow();
        assertThat(host.property(Host.VF, "mediator")).isEqualTo("i40e");
        assertThat(host.property(Host.THIRD_VF, "mediator")).isEqualTo("-");
        host.withoutMediator("i40e", () -> {
            assertThat(host.property(Host.VF, "mediator")).isEqualTo("-");
            near.pings(far.address(), PINGS, PAYLOAD);
            beside.pings(near.address(), PINGS, PAYLOAD);
            sendAllWays();
        });
    }
}
