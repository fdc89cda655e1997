// SPDX-License-Identifier: Apache-2.0
package itest;

import static org.assertj.core.api.Assertions.assertThat;

import itest.bundles.InstalledMediators;
import itest.bundles.MediatorBundle;
import itest.mediators.Reaching;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import javax.inject.Inject;
import linux.sys.Fd;
import linux.sys.Memfd;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.osgi.framework.BundleContext;
import vfio.pci.api.Errno;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.RegionIndex;
import vfio.user.wire.client.VfioUserClient;

/** Two clients of one loop; one cuts its memory's file short, again and again, and the other's next answer is right each time. */
public class TruncatedMemoryIT extends OnServedVfs {
    private static final int SIZE = 0x10000;
    private static final int ROUNDS = 2000;
    private static final int PATTERN = 0x600DF00D;

    @Inject
    private BundleContext context;
    @Rule
    public final InstalledMediators mediators = new InstalledMediators(() -> context);

    private final MemorySegment buffer = Arena.ofAuto().allocate(Integer.BYTES);

    @Before
    public void startMediator() throws Exception {
        mediators.start(MediatorBundle.of(Reaching.class).named("reaching"));
    }

    @Test
    public void costsItsOwnClientOnly() throws Exception {
        try (VfioUserClient bad = VfioUserClient.connect(vfs.socket(SimulatedNic.VF0));
                VfioUserClient good = VfioUserClient.connect(vfs.socket(SimulatedNic.VF1));
                Fd cut = Memfd.create("cut", SIZE, false); Fd kept = Memfd.create("kept", SIZE, false)) {
            bad.mapDma(0, SIZE, true, true, cut, 0);
            good.mapDma(0, SIZE, true, true, kept, 0);
            buffer.set(ValueLayout.JAVA_INT, 0, PATTERN);
            assertThat(Fd.writeAt(kept, Reaching.WHERE, buffer, 0, Integer.BYTES)).isEqualTo(Integer.BYTES);
            for (int round = 0; round < ROUNDS; round++) {
                cut.truncate(round % 2 == 0 ? 0 : SIZE);
                assertThat(read(bad)).isEqualTo(round % 2 == 0 ? Errno.EFAULT : Errno.EUNKNOWN);
                assertThat(read(good)).isEqualTo(Errno.EUNKNOWN);
                assertThat(buffer.get(ValueLayout.JAVA_INT, 0)).as("round %d", round).isEqualTo(PATTERN);
            }
        }
    }

    /** What the server answers, {@link Errno#EUNKNOWN} for no error. */
    private Errno read(VfioUserClient client) {
        try {
            client.read(RegionIndex.BAR0, Registers.VFGEN_RSTAT, buffer, 0, Integer.BYTES);
            return Errno.EUNKNOWN;
        } catch (VfioException e) {
            return e.errno();
        }
    }
}
