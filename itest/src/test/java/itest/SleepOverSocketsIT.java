// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Setting;
import itest.mediators.Sleeping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.osgi.framework.BundleContext;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.user.wire.client.VfioUserClient;

/** Two devices are served by one loop; the mediation of one sleeps, and the client of the other does not notice. */
public class SleepOverSocketsIT extends OnServedVfs {
    private static final int SLEEPS = 15;
    private static final Duration MORE_WAITING = Duration.ofMillis(10);
    /** Times are compared by a machine that does nothing else; who waits for the sleeper waits until it sleeps no more. */
    private static final boolean NIGHTLY = Boolean.getBoolean("vfio.nightly");
    /** How long the other client goes on after the sleep has begun. */
    private static final Duration DURING = Duration.ofMillis(40);

    @Inject
    private BundleContext context;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    private final ExecutorService other = Executors.newSingleThreadExecutor();
    private final MemorySegment buffer = Arena.ofAuto().allocate(Integer.BYTES);

    @Before
    public void startMediator() throws Exception {
        mediators.start(MediatorBundle.of(Sleeping.class).named("sleeping"));
    }

    @After
    public void wakeUp() {
        asleep().set(0);
        other.shutdown();
    }

    @Test
    public void oneThatSleepsDelaysNoOtherClient() throws Exception {
        try (VfioUserClient sleeper = VfioUserClient.connect(vfs.socket(SimulatedNic.VF0));
                VfioUserClient awake = VfioUserClient.connect(vfs.socket(SimulatedNic.VF1))) {
            List<Duration> before = new ArrayList<>();
            List<Duration> during = new ArrayList<>();
            for (int sleep = 0; sleep < SLEEPS; sleep++) {
                before.add(worstWhile(awake, DURING));
                asleep().set(1);
                Future<?> sleeping = other.submit(() -> {
                    sleeper.read(RegionIndex.BAR0, Registers.VFGEN_RSTAT, Arena.ofAuto().allocate(Integer.BYTES), 0, Integer.BYTES);
                    return null;
                });
                during.add(worstFromBeforeTheSleep(awake));
                assertThat(sleepers()).as("it sleeps still").hasValue(1);
                assertThat(sleeping).isNotDone();
                asleep().set(0);
                sleeping.get();
            }
            if (NIGHTLY) {
                assertThat(quiet(during)).as("worst round trip, of %s with a sleeper and %s without", during, before)
                    .isLessThan(quiet(before).plus(MORE_WAITING));
            }
            assertThat(mediators.number(Setting.LATE, "sleeping")).hasValue(0);
        }
    }

    /** Begins before the other request is sent, so that the very moment the loop is taken away is among what is measured. */
    private Duration worstFromBeforeTheSleep(VfioUserClient client) throws VfioException {
        Duration worst = Duration.ZERO;
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (sleepers().get() == 0) {
            worst = longer(worst, roundTrip(client));
            assertThat(System.nanoTime() - deadline).as("time left until it sleeps").isNegative();
        }
        return longer(worst, worstWhile(client, DURING));
    }

    private Duration worstWhile(VfioUserClient client, Duration length) throws VfioException {
        Duration worst = Duration.ZERO;
        long end = System.nanoTime() + length.toNanos();
        while (System.nanoTime() - end < 0) {
            worst = longer(worst, roundTrip(client));
        }
        return worst;
    }

    private Duration roundTrip(VfioUserClient client) throws VfioException {
        long begun = System.nanoTime();
        client.read(RegionIndex.BAR0, Registers.VFGEN_RSTAT, buffer, 0, Integer.BYTES);
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    /** The lower quartile: what the runtime costs each time, with the least of what else this machine does. */
    private static Duration quiet(List<Duration> durations) {
        return durations.stream().sorted().toList().get(durations.size() / 4);
    }

    private AtomicLong asleep() {
        return mediators.number(Sleeping.ASLEEP, SimulatedNic.VF0.toString());
    }

    private AtomicLong sleepers() {
        return mediators.number(Sleeping.SLEEPERS, SimulatedNic.VF0.toString());
    }
}
