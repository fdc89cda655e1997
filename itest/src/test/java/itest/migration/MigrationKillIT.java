// SPDX-License-Identifier: Apache-2.0
package itest.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import itest.SimulatedNic;
import itest.iavf.DriverOptions;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.AfterClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.admin.Whereabouts;
import vfio.pci.api.device.RegionIndex;
import vfio.pci.api.migration.MigrationState;
import vfio.user.wire.client.VfioUserClient;
import vmm.AssignedDevice;
import vmm.Step;

/**
 * A move to which something happens at each step: the runtime of the one side or of the other is killed, the connection is cut, a byte of
 * what is sent is altered. Afterwards at most one side's devices are to be used, and those go on with the traffic and all of the memory; or
 * there is an error. A runtime that was not killed serves the next case too. {@code -Dvfio.kill.seed=N} repeats the choices.
 */
@RunWith(Parameterized.class)
public class MigrationKillIT {
    @ClassRule
    public static final TemporaryFolder FOLDER = TemporaryFolder.builder().assureDeletion().build();

    private static final boolean NIGHTLY = Boolean.getBoolean("vfio.nightly");
    private static final long SEED = Long.getLong("vfio.kill.seed", NIGHTLY ? System.currentTimeMillis() : 7);
    private static final List<PciAddress> FUNCTIONS = List.of(SimulatedNic.VF0, SimulatedNic.VF1);
    private static final long FRAMES = 500;
    /** The end of the machine's memory, which no ring lies in. */
    private static final long PATTERN = 24L << 20;
    private static final Set<Step> ABOUT_COMMIT = Set.of(Step.COMMIT, Step.RUN, Step.DONE);

    private static Optional<RuntimeProcess> here = Optional.empty();
    private static Optional<RuntimeProcess> there = Optional.empty();
    private static int started;

    private final Fault fault;
    private final Step at;
    private final Random random;

    public MigrationKillIT(Fault fault, Step at) {
        this.fault = fault;
        this.at = at;
        random = new Random(SEED + fault.ordinal() * 100L + at.ordinal());
    }

    /** Each step with one fault and those about COMMIT with the connection's; each with each in the long run. */
    @Parameterized.Parameters(name = "{0} at {1}")
    public static List<Object[]> cases() {
        List<Object[]> cases = new ArrayList<>();
        int turn = new Random(SEED).nextInt(Fault.values().length);
        for (Fault fault : Fault.values()) {
            for (Step step : Step.values()) {
                boolean chosen = (step.ordinal() + turn) % Fault.values().length == fault.ordinal();
                boolean close = ABOUT_COMMIT.contains(step) && (fault == Fault.CUT || fault == Fault.ALTER);
                if (NIGHTLY || chosen || close) {
                    cases.add(new Object[] {fault, step});
                }
            }
        }
        return cases;
    }

    @AfterClass
    public static void end() {
        here.ifPresent(RuntimeProcess::close);
        there.ifPresent(RuntimeProcess::close);
        here = Optional.empty();
        there = Optional.empty();
    }

    private static RuntimeProcess start() throws Exception {
        return RuntimeProcess.start("runtime" + started++, FOLDER.getRoot().toPath(), FUNCTIONS);
    }

    @Test
    public void oneSideAtMostIsToBeUsed() throws Exception {
        if (here.isEmpty()) {
            here = Optional.of(start());
        }
        if (there.isEmpty()) {
            there = Optional.of(start());
        }
        try {
            moveAndLook(here.get(), there.get());
        } finally {
            if (fault == Fault.KILL_SOURCE) {
                here.get().close();
                here = Optional.empty();
            }
            if (fault == Fault.KILL_DESTINATION) {
                there.get().close();
                there = Optional.empty();
            }
        }
    }

    private void moveAndLook(RuntimeProcess source, RuntimeProcess destination) throws Exception {
        MovableGuest guest = MovableGuest.boot(source, FUNCTIONS, DriverOptions.DEFAULT);
        try (MovableGuest.Side from = guest.side(); MovableGuest.Side to = guest.prepare(destination)) {
            byte[] pattern = new byte[1 << 20];
            random.nextBytes(pattern);
            MemorySegment.copy(MemorySegment.ofArray(pattern), 0, from.memory().getFirst().memory(), PATTERN, pattern.length);
            GuestTraffic traffic = new GuestTraffic(guest);
            try {
                traffic.awaitArrivals(FRAMES);
                FaultyMove move = new FaultyMove(from, to, fault, at);
                Whereabouts named = move.run(FOLDER.getRoot().toPath(), random);
                System.out.printf("java guest, %s; to be used: %s%n", move, named);
                fault.named(at).ifPresent(expected -> assertThat(named).as("seed %d, %s", SEED, move).isEqualTo(expected));
                for (MovableGuest.Side side : List.of(from, to)) {
                    boolean killed = fault == (side == from ? Fault.KILL_SOURCE : Fault.KILL_DESTINATION);
                    boolean used = named == (side == from ? Whereabouts.SOURCE : Whereabouts.DESTINATION);
                    if (killed) {
                        assertGone(side);
                    } else if (used) {
                        assertThat(guest.side()).isSameAs(side);
                        assertGoesOn(side, traffic, pattern);
                    } else {
                        assertUsableAgain(side, side == to);
                    }
                }
            } finally {
                traffic.abandon();
            }
        }
    }

    private static void assertGoesOn(MovableGuest.Side side, GuestTraffic traffic, byte[] pattern) throws Exception {
        for (AssignedDevice device : side.devices()) {
            assertThat(device.state()).isEqualTo(MigrationState.RUNNING);
        }
        traffic.awaitArrivals(FRAMES);
        traffic.close();
        MemorySegment arrived = side.memory().getFirst().memory().asSlice(PATTERN, pattern.length);
        assertThat(arrived.mismatch(MemorySegment.ofArray(pattern))).as("first byte that differs").isEqualTo(-1);
    }

    /** The destination has put its devices back by itself; the source's stand still when the machine runs there. */
    private static void assertUsableAgain(MovableGuest.Side side, boolean putBack) throws VfioException {
        for (AssignedDevice device : side.devices()) {
            assertThat(device.state() == MigrationState.RUNNING).as("%s", device.state()).isEqualTo(putBack);
        }
        for (VfioUserClient client : side.clients()) {
            synchronized (client) {
                client.reset();
            }
        }
        for (AssignedDevice device : side.devices()) {
            assertThat(device.state()).isEqualTo(MigrationState.RUNNING);
        }
    }

    private static void assertGone(MovableGuest.Side side) {
        MemorySegment id = MemorySegment.ofArray(new byte[Integer.BYTES]);
        for (VfioUserClient client : side.clients()) {
            assertThatExceptionOfType(VfioException.class).isThrownBy(() -> {
                synchronized (client) {
                    client.read(RegionIndex.CONFIG, 0, id, 0, Integer.BYTES);
                }
            });
        }
    }
}
