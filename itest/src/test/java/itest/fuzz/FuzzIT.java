// SPDX-License-Identifier: Apache-2.0
package itest.fuzz;

import static itest.options.RuntimeOptions.configuration;
import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.mediatorI40e;
import static itest.options.RuntimeOptions.mediatorIgd;
import static itest.options.RuntimeOptions.simulatedIgd;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.Await;
import itest.SimulatedNic;
import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Transferring;
import itest.wire.Bytes;
import itest.wire.Command;
import itest.wire.Defects;
import itest.wire.Footprint;
import itest.wire.Held;
import itest.wire.Message;
import itest.wire.Payload;
import itest.wire.RawClient;
import itest.wire.ServedDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.inject.Inject;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.RuleChain;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.ServeAdmin;

/**
 * Three devices with their mediators, and clients that do anything. The runtime answers what it owes, logs no error of its own, keeps
 * nothing, and serves the next client.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class FuzzIT {
    private static final PciAddress IGD = PciAddress.parse("0000:00:02.0");
    /** Per mille of messages made wrong, one of which a session has. */
    private static final int[] SHARES = {0, 10, 50, 200, 1000};
    private static final int WARM_UP = 90;
    private static final int ROUND = 30;

    @Inject
    private BundleContext context;
    @Inject
    private ServeAdmin transport;

    private final TemporaryFolder folder = new TemporaryFolder();
    private final List<ServedDevice> devices = List.of(
        new ServedDevice(() -> transport, folder, SimulatedNic.VF1),
        new ServedDevice(() -> transport, folder, SimulatedNic.VF3),
        new ServedDevice(() -> transport, folder, IGD));
    private final InstalledMediators mediators = new InstalledMediators(() -> context);
    @Rule
    public final RuleChain rules = RuleChain.outerRule(folder).around(mediators).around(devices.get(0)).around(devices.get(1))
        .around(devices.get(2));

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Files> files = new ArrayList<>();
    private final Tally tally = new Tally();
    private final FuzzSettings settings = FuzzSettings.read();
    private final Recorded recorded = new Recorded(Path.of(System.getProperty("itest.traces"), "qemu-xl710-vf.trace"));

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), mediatorI40e(), mediatorIgd(),
            configuration("vfio.user", Map.of("dmaTimeoutMillis", 20L, "faultLinesPerSecond", 1)), simulatedNic(), simulatedIgd(),
            vfioUser()};
    }

    @Before
    public void transfer() throws Exception {
        mediators.start(MediatorBundle.of(Transferring.class).named("transferring").answering(SimulatedNic.VF3.function()).ranked(1));
    }

    @Test
    public void livesThroughAnything() throws Exception {
        try (Defects defects = new Defects()) {
            if (settings.only() >= 0) {
                play(settings.only());
            } else {
                playAll(defects);
            }
            defects.requireNone();
        } finally {
            files.forEach(Files::close);
            threads.shutdown();
        }
        for (ServedDevice device : devices) {
            serves(device);
        }
    }

    private void playAll(Defects defects) throws Exception {
        for (int i = 0; i < devices.size(); i++) {
            files.add(new Files());
        }
        Held idle = Held.now();
        long begun = System.nanoTime();
        long messages = 0;
        long session = 0;
        Footprint before = null;
        while (before == null || messages < settings.messages()) {
            messages += playBeside(session, session + ROUND);
            session += ROUND;
            look(idle, defects, session);
            if (before == null && session >= WARM_UP) {
                before = Footprint.now();
            }
        }
        Footprint after = Footprint.now();
        System.out.printf("fuzzer: seed=%d sessions=%d messages=%d seconds=%.1f before: %s after: %s%n%s%n", settings.seed(), session,
            messages, (System.nanoTime() - begun) / 1e9, before, after, tally);
        after.requireNoMoreThan(before);
        tally.requireAtLeast(messages / 5000);
    }

    /** The devices beside each other, the sessions of a device one after the other. */
    private long playBeside(long from, long to) throws Exception {
        List<Future<Long>> all = new ArrayList<>();
        for (int device = 0; device < devices.size(); device++) {
            int first = device;
            all.add(threads.submit(() -> {
                long messages = 0;
                for (long session = from; session < to; session++) {
                    messages += session % devices.size() == first ? play(session) : 0;
                }
                return messages;
            }));
        }
        long messages = 0;
        for (Future<Long> one : all) {
            messages += one.get();
        }
        return messages;
    }

    /** What the sessions so far made the server hold is let go of; a session that left something is among the last few. */
    private void look(Held idle, Defects defects, long sessions) throws Exception {
        try {
            Await.until("nothing is left", () -> Held.now().beyond(idle).isEmpty());
            defects.requireNone();
        } catch (AssertionError e) {
            throw failure("seed=%d sessions=%d to %d: %s: %s".formatted(settings.seed(), Math.max(0, sessions - ROUND), sessions,
                e.getMessage(), Held.now().beyond(idle)), e);
        }
    }

    /** Everything about a session follows from the seed and its number, but for when the server's requests come. */
    private int play(long number) throws VfioException {
        var random = new SplittableRandom(settings.seed() * 0x9E37_79B9_7F4A_7C15L + number);
        List<Outgoing> session = random.nextInt(3) == 0 ? recorded.some(random) : Invented.session(random);
        session = Mutations.apply(session, SHARES[random.nextInt(SHARES.length)], random);
        int leaveAt = random.nextInt(4) == 0 ? random.nextInt(session.size() + 1) : session.size();
        int device = (int) (number % devices.size());
        while (files.size() <= device) {
            files.add(new Files());
        }
        var player = new Player(devices.get(device).path(), files.get(device), random.split(), random.split(),
            RawClient.PATIENCE, tally);
        try {
            player.play(session, leaveAt);
        } catch (VfioException | AssertionError e) {
            throw failure("seed=%d session=%d message=%d of %d: %s; again: -Dvfio.fuzz.seed=%1$d -Dvfio.fuzz.session=%2$d"
                .formatted(settings.seed(), number, player.message(), session.size(), e.getMessage()), e);
        }
        return Math.min(leaveAt, session.size());
    }

    /** Pax Exam shows the innermost cause of a failure and nothing else: what is told here is that one. */
    private static AssertionError failure(String message, Throwable seen) {
        var failure = new AssertionError(message);
        failure.addSuppressed(seen);
        return failure;
    }

    private static void serves(ServedDevice device) throws VfioException {
        try (RawClient client = device.ready()) {
            Message ids = client.call(Command.REGION_READ, Payload.access(0, 7, 4));
            assertThat(ids.errno()).isZero();
            assertThat(ids.u16(Payload.REGION_ACCESS)).as("vendor").isEqualTo(0x8086);
            assertThat(client.call(Command.DEVICE_RESET, Bytes.none()).errno()).isZero();
        }
    }
}
