// SPDX-License-Identifier: Apache-2.0
package itest;

import static itest.options.RuntimeOptions.core;
import static itest.options.RuntimeOptions.felix;
import static itest.options.RuntimeOptions.simulatedNic;
import static itest.options.RuntimeOptions.vfioUser;
import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.iavf.DriverOptions;
import itest.mediators.Overhearing;
import itest.mediators.Setting;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;
import javax.inject.Inject;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.DeviceAdmin;
import vfio.pci.api.admin.ServeAdmin;
import vfio.pci.api.device.RegionIndex;

/** A mediation watches doorbells that a guest writes into mapped memory, of which no access tells it. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class WatchedDoorbellsIT {
    private static final String MEDIATOR = "overhearing";
    private static final long FRAMES = 20_000;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Inject
    private BundleContext context;
    @Inject
    private DeviceAdmin admin;
    @Inject
    private ServeAdmin transport;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);
    @Rule
    public final ServedVfs vfs = new ServedVfs(() -> transport);

    private final MemorySegment buffer = Arena.ofAuto().allocate(Integer.BYTES);

    @Configuration
    public Option[] runtime() {
        return new Option[] {felix(), core(), simulatedNic(), vfioUser()};
    }

    @Before
    public void waitForTheNic() throws Exception {
        SimulatedNic.await(admin);
    }

    private AtomicLong number(String what, PciAddress function) {
        return mediators.number(what, function.toString());
    }

    private int read(GuestVf guest, long offset) throws VfioException {
        guest.client().read(RegionIndex.BAR0, offset, buffer, 0, Integer.BYTES);
        return buffer.get(U32, 0);
    }

    private void watch(GuestVf guest, PciAddress function) throws VfioException {
        number(Overhearing.WATCHING, function).set(1);
        read(guest, Registers.VFGEN_RSTAT);
        assertThat(number(Overhearing.WATCHING, function)).as("the mediation saw the read").hasValue(2);
    }

    @Test
    public void tellsOfWhatIsWrittenToMemoryUntilTheMediatorGoes() throws Exception {
        Bundle mediator = mediators.start(MediatorBundle.of(Overhearing.class).named(MEDIATOR));
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            new Traffic(one.driver(), other.driver()).oneWay(FRAMES);
            assertThat(number(Overhearing.SENT, SimulatedNic.VF0)).as("nobody watches").hasValue(0);

            watch(one, SimulatedNic.VF0);
            watch(other, SimulatedNic.VF1);
            long mediated = admin.stats(SimulatedNic.VF0).mediated();
            new Traffic(one.driver(), other.driver()).oneWay(FRAMES);
            assertThat(number(Overhearing.SENT, SimulatedNic.VF0)).as("of the sender").hasPositiveValue();
            assertThat(number(Overhearing.SENT_TAIL, SimulatedNic.VF0)).as("the last").hasValue(read(one, Overhearing.QTX_TAIL));
            assertThat(number(Overhearing.RECEIVED, SimulatedNic.VF1)).as("of the receiver").hasPositiveValue();
            assertThat(admin.stats(SimulatedNic.VF0).mediated() - mediated).as("accesses that the mediation saw")
                .isLessThan(number(Overhearing.SENT, SimulatedNic.VF0).get());

            mediator.stop();
            long told = number(Overhearing.SENT, SimulatedNic.VF0).get();
            new Traffic(one.driver(), other.driver()).oneWay(FRAMES);
            assertThat(number(Overhearing.SENT, SimulatedNic.VF0)).as("the mediator has gone").hasValue(told);
            assertThat(mediators.number(Setting.LATE, MEDIATOR)).hasValue(0);
            assertThat(one.driver().resetSeen() || other.driver().resetSeen()).as("reset").isFalse();
        }
    }

    @Test
    public void losesNothingWhenTheMediatorGoesUnderTraffic() throws Exception {
        Bundle mediator = mediators.start(MediatorBundle.of(Overhearing.class).named(MEDIATOR));
        try (GuestVf one = GuestVf.start(vfs.socket(SimulatedNic.VF0), DriverOptions.DEFAULT);
                GuestVf other = GuestVf.start(vfs.socket(SimulatedNic.VF1), DriverOptions.DEFAULT)) {
            watch(one, SimulatedNic.VF0);
            watch(other, SimulatedNic.VF1);
            var traffic = new Traffic(one.driver(), other.driver());
            Thread stopping = Thread.ofPlatform().name("stopping").start(() -> stopWhen(traffic, mediator));
            traffic.bothWays(4 * FRAMES);
            stopping.join();
            assertThat(mediator.getState()).isEqualTo(Bundle.RESOLVED);
            assertThat(number(Overhearing.SENT, SimulatedNic.VF0)).hasPositiveValue();
            assertThat(mediators.number(Setting.LATE, MEDIATOR)).hasValue(0);
        }
    }

    private static void stopWhen(Traffic traffic, Bundle mediator) {
        try {
            Await.until("frames arrive", () -> traffic.arrived() > FRAMES / 2);
            mediator.stop();
        } catch (Exception e) { // checkstyle: allow IllegalCatch: the bundle's state tells
            throw new IllegalStateException(e);
        }
    }
}
