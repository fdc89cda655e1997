// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.OfferingClient;
import itest.SimulatedNic;
import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Offering;
import itest.wire.Command;
import itest.wire.Footprint;
import itest.wire.Held;
import itest.wire.Payload;
import itest.wire.RawClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
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
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;

/**
 * A mediator's whole life again and again, with what clients have of a device meanwhile: descriptors, threads, mappings and class loaders
 * stay as many as they were.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class CyclesIT {
    private static final int CYCLES = Boolean.getBoolean("vfio.nightly") ? 1_000 : 50;
    private static final int WARM_UP = 10;

    @Inject
    private BundleContext context;
    @Inject
    private VfioPci vfio;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private ServeAdmin transport;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final List<BundleLoader> loaders = new ArrayList<>();

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), vfioUser()};
    }

    @Before
    public void waitForTheNic() throws Exception {
        SimulatedNic.await(admin);
    }

    @Test
    public void nothingGrowsOverManyLives() throws Exception {
        for (int i = 0; i < WARM_UP; i++) {
            live();
        }
        Leaks.requireCollected(loaders);
        Map<String, Integer> heapBefore = Leaks.census();
        Footprint before = Footprint.now();
        long begin = System.nanoTime();
        for (int i = 0; i < CYCLES; i++) {
            live();
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        Held.awaitNoMoreThan(before.held());
        Leaks.requireCollected(loaders);
        Footprint after = Footprint.now();
        Map<String, Integer> heapAfter = Leaks.requireFewer(CYCLES, heapBefore);
        System.out.printf("cycles=%d in %d ms: before %s, after %s; class loaders of bundles in the heap %d and %d, of %d that were%n",
            CYCLES, millis, before, after, Leaks.loaders(heapBefore), Leaks.loaders(heapAfter), loaders.size());
        after.requireNoMoreThan(before);
        // Those of a framework that an earlier test ran may go meanwhile.
        assertThat(Leaks.loaders(heapAfter)).as("class loaders of bundles in the heap").isLessThanOrEqualTo(Leaks.loaders(heapBefore));
    }

    @Test
    public void oneThatIsHeldIsFoundWithWhatHoldsIt() throws Exception {
        Bundle bundle = mediators.start(MediatorBundle.of(Offering.class).named("held"));
        var loader = new BundleLoader("held", bundle);
        Holder.held = bundle.loadClass(Offering.class.getName());
        try {
            mediators.uninstall(bundle);
            bundle = null;
            System.gc();
            assertThat(loader.isHeld()).isTrue();
            assertThat(Leaks.whoHoldsThem()).singleElement().asString().contains("Holder.static held -> class itest.mediators.Offering");
        } finally {
            Holder.held = null;
        }
        Leaks.requireCollected(List.of(loader));
    }

    /** Holds what it should not. */
    private static final class Holder {
        private static volatile Class<?> held;
    }

    private void live() throws Exception {
        MediatorBundle description = MediatorBundle.of(Offering.class).named("cycled");
        Bundle bundle = mediators.install(description);
        bundle.start();
        loaders.add(new BundleLoader("first", bundle));
        Path socket = folder.getRoot().toPath().resolve("cycled.sock");
        transport.serve(SimulatedNic.VF1, socket);
        try (VfioDevice device = vfio.open(SimulatedNic.VF0, Client.standard("itest"));
                var inProcess = new OfferingClient(device);
                RawClient client = RawClient.connect(socket)) {
            assertThat(client.call(Command.VERSION, Payload.version(Payload.QEMU)).isError()).isFalse();
            read(client);
            inProcess.useEverything();
            bundle.stop();
            inProcess.useWhatIsLeft();
            bundle.start();
            admin.rebind(SimulatedNic.VF1, Optional.of("cycled"));
            read(client);
            bundle.update(description.version("1.1.0").jar());
            loaders.add(new BundleLoader("updated", bundle));
            Refresh.of(context, bundle);
            loaders.add(new BundleLoader("refreshed", bundle));
            read(client);
        } finally {
            transport.unserve(SimulatedNic.VF1);
        }
        mediators.uninstall(bundle);
    }

    private static void read(RawClient client) {
        assertThat(client.call(Command.REGION_READ, Payload.access(0, RegionIndex.BAR0, Integer.BYTES)).isError()).isFalse();
    }
}
