// SPDX-License-Identifier: Apache-2.0
package bench;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.Client;
import vfio.pci.api.device.VfioDevice;
import vfio.pci.api.device.VfioPci;
import vfio.pci.api.migration.Migration;
import vfio.pci.api.migration.MigrationState;

/// The state of a virtual function of the simulated XL710 on its way to another, by mediator.i40e and the firmware, in process.
final class StateMove {
    private static final PciAddress SOURCE = PciAddress.parse("0000:3b:02.0");
    private static final PciAddress DESTINATION = PciAddress.parse("0000:3b:02.1");
    private static final int WARM_UP = 100;
    private static final int ROOM = 1 << 20;

    private StateMove() {
    }

    /// What it gave.
    ///
    /// @param save nanoseconds of each round, from RUNNING to the last byte
    /// @param load the same, from RUNNING to RUNNING with the state
    record Result(int bytes, double[] save, double[] load) {
    }

    static Result measure(int rounds) throws VfioException {
        try (FelixRuntime runtime = new FelixRuntime()) {
            runtime.configure("device.sim.xl710", "bench");
            runtime.configureOne("mediator.i40e", Map.of("migration", "true"));
            runtime.start("device.sim");
            runtime.start("mediator.i40e");
            VfioPci core = runtime.service(VfioPci.class, null);
            try (VfioDevice source = core.open(SOURCE, Client.standard("bench"));
                    VfioDevice destination = core.open(DESTINATION, Client.standard("bench"))) {
                return measure(source.migration().orElseThrow(), destination.migration().orElseThrow(), rounds);
            }
        }
    }

    private static Result measure(Migration source, Migration destination, int rounds) throws VfioException {
        MemorySegment state = MemorySegment.ofArray(new byte[ROOM]);
        double[] save = new double[rounds];
        double[] load = new double[rounds];
        int bytes = 0;
        for (int round = -WARM_UP; round < rounds; round++) {
            long start = System.nanoTime();
            bytes = save(source, state);
            long saved = System.nanoTime();
            destination.state(MigrationState.RESUMING);
            destination.write(state, 0, bytes);
            destination.state(MigrationState.RUNNING);
            long loaded = System.nanoTime();
            source.state(MigrationState.RUNNING);
            if (round >= 0) {
                save[round] = saved - start;
                load[round] = loaded - saved;
            }
        }
        return new Result(bytes, save, load);
    }

    private static int save(Migration source, MemorySegment state) throws VfioException {
        source.state(MigrationState.STOP_COPY);
        int done = 0;
        for (int got = 1; got > 0; done += got) {
            got = source.read(state, done, ROOM - done);
        }
        return done;
    }
}
