// SPDX-License-Identifier: Apache-2.0
package cnf.guest;

import static org.assertj.core.api.Assertions.assertThat;

import cnf.LaunchedRuntime;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
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
 * Two guests with Debian's own driver, under TCP, while the mediator of the first one's devices is stopped, started, bound again and
 * exchanged for another version of itself, and while a function is bound afresh: no byte changes, and no guest sees a reset.
 */
@ExtendWith(NeedsGuest.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ExchangedMediatorIT {
    private static final int ROUNDS = Station.NIGHTLY ? 100 : 5;
    private static final int RENEWALS = Station.NIGHTLY ? 20 : 3;
    private static final int KIB = 2 << 10;
    private static final int PINGS = 600;
    /** A frame on its way to a function that is away is lost, as on any wire. */
    private static final int MOST_LOST = 10 * RENEWALS;
    private static final int BUNDLE_ID = 2;
    private static final String NEXT_VERSION = "9.0.0";
    private static final Pattern PAUSE = Pattern.compile("\"pauseMicros\":(\\d+)");
    private static final Pattern ANSWERED = Pattern.compile("(\\d+) packets transmitted, (\\d+) (?:packets )?received.*");
    private static final Duration MOST_PAUSE = Duration.ofSeconds(2);

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

    private final List<Long> pauses = new ArrayList<>();
    private NetworkPair pair;
    private Host host;
    private Station near;
    private Station far;
    private String first;
    private String second;

    @BeforeAll
    void boot(@TempDir Path folder) throws Exception {
        pair = NetworkPair.ofVirtualFunctions(folder, "", "mapped", Map.of("mediator.i40e.cfg", "migration = true\n"));
        host = pair.host().orElseThrow();
        near = pair.near();
        far = pair.far();
        for (Guest guest : pair.guests()) {
            guest.run("modprobe iavf");
        }
        for (Station each : List.of(near, far)) {
            each.up();
        }
        for (Guest guest : pair.guests()) {
            // What the driver says while it comes up on a busy machine, as that it asks once more, is not of an exchange.
            guest.run("net log");
        }
        first = host.mediator("i40e").get(BUNDLE_ID);
        second = host.run("install file:" + nextVersion(folder)).getFirst().replace("Bundle ID: ", "");
        host.run("start " + second);
    }

    @AfterAll
    void end() throws InterruptedException {
        if (pair != null) {
            pair.close();
        }
    }

    /** The same mediator with another version. */
    private static Path nextVersion(Path folder) throws IOException {
        Path made = folder.resolve("mediator.i40e-next.jar");
        try (JarFile present = new JarFile(LaunchedRuntime.DISTRIBUTION.resolve("bundle/mediator.i40e.jar").toFile())) {
            Manifest manifest = new Manifest(present.getManifest());
            manifest.getMainAttributes().putValue("Bundle-Version", NEXT_VERSION);
            try (OutputStream out = Files.newOutputStream(made); JarOutputStream jar = new JarOutputStream(out, manifest)) {
                for (JarEntry entry : present.stream().filter(each -> !each.getName().equals(JarFile.MANIFEST_NAME)).toList()) {
                    jar.putNextEntry(new JarEntry(entry.getName()));
                    present.getInputStream(entry).transferTo(jar);
                }
            }
        }
        return made;
    }

    private void during(Host.Step step) throws Exception {
        Guest.Running sending = near.guest().start("net send " + far.address() + " " + KIB);
        step.take();
        assertThat(sending.awaitEnd()).containsExactly("same");
        far.sends(near.address(), KIB);
    }

    private void exchange(String command) {
        Matcher pause = PAUSE.matcher(host.ask(command));
        while (pause.find()) {
            pauses.add(Long.valueOf(pause.group(1)));
        }
    }

    private void assertGuestsSawNothing() throws InterruptedException {
        for (Guest guest : pair.guests()) {
            assertThat(guest.run("net log")).as("warnings of the kernel").isEmpty();
        }
        assertThat(host.counters(Host.VF)).containsEntry("malicious_driver_events", 0L).containsEntry("dma_faults", 0L);
        assertThat(host.property(Host.VF, "isolated")).isEqualTo("-");
    }

    @Test
    @Order(1)
    void isExchangedUnderTraffic() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            during(() -> host.run("stop " + first));
            assertThat(host.property(Host.VF, "mediator")).as("it passes through").isEqualTo("-");
            during(() -> {
                exchange("vfio:rebind -j " + Host.VF);
                exchange("vfio:rebind -j " + Host.SECOND_VF);
            });
            assertThat(host.property(Host.VF, "mediator")).isEqualTo("i40e");
            during(() -> host.run("start " + first));
            during(() -> exchange("vfio:swap -j --all " + second + " " + first));
            during(() -> exchange("vfio:swap -j --all " + first + " " + second));
            host.run("stop " + second);
            exchange("vfio:rebind -j " + Host.VF);
            exchange("vfio:rebind -j " + Host.SECOND_VF);
            host.run("start " + second);
            assertGuestsSawNothing();
        }
        print("exchanges");
    }

    @Test
    @Order(2)
    void isBoundAfreshUnderPing() throws Exception {
        pauses.clear();
        Guest.Running pinging = near.guest().start("ping -i 0.02 -c " + PINGS + " -w 60 " + far.address() + " | tail -n 3");
        for (int renewal = 0; renewal < RENEWALS; renewal++) {
            exchange("vfio:renew -j " + Host.VF);
        }
        List<String> printed = pinging.awaitEnd();
        Matcher answered = printed.stream().map(ANSWERED::matcher).filter(Matcher::matches).findFirst().orElseThrow();
        assertThat(Integer.parseInt(answered.group(2))).as(printed.toString()).isGreaterThanOrEqualTo(PINGS - MOST_LOST);
        during(() -> exchange("vfio:renew -j " + Host.VF));
        near.pings(far.address(), 10, 56);
        assertGuestsSawNothing();
        print("renewals");
    }

    private void print(String what) {
        pauses.sort(null);
        System.out.printf(Locale.ROOT, "%s under a guest: %d pauses, in ms p50=%.1f p99=%.1f longest=%.1f%n", what, pauses.size(),
            pauses.get(pauses.size() / 2) / 1e3, pauses.get((pauses.size() - 1) * 99 / 100) / 1e3, pauses.getLast() / 1e3);
        assertThat(pauses.getLast()).isLessThan(MOST_PAUSE.toNanos() / 1000);
    }
}
